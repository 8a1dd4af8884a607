from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.permissions import Level, ask
from harness.plan import as_text, plan_of
from harness.plan.footprint import footprints
from harness.plan.model import PlannedCluster
from harness.scenario.model import (
    CAPABILITIES,
    MIB,
    ClusterSpec,
    LatencySpec,
    RegistrySpec,
    Scenario,
)
from tests.harness.test_permissions import OWN, Cluster

if TYPE_CHECKING:
    from harness.plan import Plan

EXISTING = Scenario(
    version=1,
    name="ours",
    cluster=ClusterSpec(provider="existing"),
    registries=(
        RegistrySpec(
            name="primary", provider="existing", host="registry.test:5000", repository_prefix="team"
        ),
    ),
    latency=LatencySpec(size_classes=("1MiB", "10MiB"), samples=2),
)
BUILT = Scenario(
    version=1, name="lab", registries=(RegistrySpec(name="primary"),), capabilities=("trust",)
)
THREE = PlannedCluster("existing", "https://api.test", ("a", "b", "c"), ("node d is left out",))
UNKNOWN = PlannedCluster("existing", "", (), ())


def asked(*refused: tuple[str, str, str]) -> Plan:
    answers = ask(Cluster(*refused).may, Level.PROBE, OWN)
    return plan_of(EXISTING, cluster=THREE, answers=answers)


def test_latency_moves_each_size_class_as_often_as_it_is_sampled() -> None:
    latency = next(each for each in footprints(EXISTING) if each.capability == "latency")

    assert latency.images == 2 * (3 * 2 + 1)
    assert latency.pushed_bytes == latency.pulled_bytes_per_node == 7 * 11 * MIB
    assert latency.pulls_per_node == 2 * (3 * 2 + 1 + 10)


def test_kubelets_are_asked_for_more_with_more_samples() -> None:
    few, many = (
        EXISTING.model_copy(update={"latency": LatencySpec(size_classes=("1MiB",), samples=count)})
        for count in (1, 11)
    )
    kubelet = [
        next(each for each in footprints(scenario) if each.capability == "kubelet")
        for scenario in (few, many)
    ]

    assert kubelet[1].images - kubelet[0].images == 10 * (3 + 1)
    assert kubelet[1].pulls_per_node - kubelet[0].pulls_per_node == 10 * (3 + 1)
    assert kubelet[1].pushed_bytes - kubelet[0].pushed_bytes > 10 * MIB


def test_every_capability_has_a_footprint() -> None:
    assert [each.capability for each in footprints(EXISTING)] == list(CAPABILITIES)


def test_more_nodes_take_longer_because_they_share_a_link() -> None:
    assert asked().seconds > plan_of(EXISTING, cluster=replace(THREE, nodes=("a",))).seconds


def test_plan_of_an_existing_cluster_names_what_it_does_and_leaves() -> None:
    text = as_text(asked())

    assert "existing at https://api.test, permission level probe" in text
    assert "3 nodes: a, b, c" in text
    assert "node d is left out" in text
    assert "pushes to registry.test:5000/team/<capability>/" in text
    assert "pullproof-<run id> and pullproof-<run id>-second" in text
    assert "secrets in its namespaces: create [granted], update [granted], delete [granted]" in text
    assert "until the kubelet's own garbage collection" in text
    assert "registry.test:5000: manifests are deleted" in text
    assert "none of the level disrupt" in text


def test_missing_right_is_marked_and_optional_ones_are_not_missed() -> None:
    plan = asked(("create", "secrets", OWN[0]), ("get", "nodes", ""))

    assert {(right.verb, right.resource) for right in plan.missing} == {
        ("create", "secrets"),
        ("get", "nodes"),
    }
    assert "create [MISSING]" in as_text(plan)
    proxy = [right for right in plan.rights if right.resource == "nodes/proxy"]
    assert [right.granted for right in proxy] == [False]


def test_without_a_cluster_no_right_is_said_to_be_granted() -> None:
    plan = plan_of(EXISTING, cluster=UNKNOWN)

    assert {right.granted for right in plan.rights} == {None}
    assert plan.missing == ()
    text = as_text(plan)
    assert "nodes: not asked for; name a kubeconfig" in text
    assert "granted" not in text
    assert "all nodes" not in text


def test_lab_of_our_own_needs_no_rights_and_leaves_nothing() -> None:
    plan = plan_of(BUILT, cluster=PlannedCluster("containerd", "", ("node 1",), ()))

    assert plan.level is None
    assert (plan.rights, plan.namespaces, plan.objects, plan.left_behind) == ((), (), (), ())
    text = as_text(plan)
    assert "primary: built for the run" in text
    assert "nothing outside the lab" in text
    assert "rights" not in text


@pytest.mark.parametrize("plan", [asked(), plan_of(EXISTING, cluster=UNKNOWN)])
def test_plan_is_a_document_for_machines_too(plan: Plan) -> None:
    document = json.loads(plan.to_json())

    assert document["level"] == "probe"
    assert document["footprints"][0]["capability"] == "trust"
    assert {"verb", "resource", "granted", "why"} <= set(document["rights"][0])
