"""Fleet mode against a real control plane with 1000 simulated nodes, some of which misbehave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.kubernetes_api import KubernetesAPI
from tests.kubernetes.control_plane import compiled_programs
from tests.kubernetes.fleet_controller import image_of
from tests.kubernetes.simulated_fleet import Kind, kind_of, node_names, pulling_seconds
from tests.kubernetes.simulated_lab import simulated_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.result.model import NodeFigures
    from tests.kubernetes.simulated_lab import Run, SimulatedLab

NAMESPACE = "fleet"
MISBEHAVING = {
    Kind.TAINTED: 20,
    Kind.CORDONED: 5,
    Kind.REFUSING: 3,
    Kind.MUTE: 7,
    Kind.SILENT: 2,
    Kind.REJECTING: 2,
    Kind.NOT_READY: 4,
    Kind.VIRTUAL: 1,
    Kind.WINDOWS: 3,
}
NODES = 1000
GAPS = {
    Kind.REFUSING: "pull-refused",
    Kind.SILENT: "no-answer",
    Kind.REJECTING: "not-admitted",
    Kind.NOT_READY: "not-ready",
    Kind.VIRTUAL: "virtual-kubelet",
    Kind.WINDOWS: "other-platform",
}
# The silent nodes are waited for to the end; the others need about half a minute here.
SAMPLE_SECONDS = 120


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedLab]:
    programs, folder = compiled_programs(), tmp_path_factory.mktemp("control-plane")
    with simulated_lab(programs, folder) as lab:
        good = NODES - sum(MISBEHAVING.values())
        lab.add_nodes(node_names(good=good, **MISBEHAVING))
        yield lab


@pytest.fixture(scope="module")
def run(fleet: SimulatedLab) -> Run:
    return fleet.cover(NAMESPACE, samples=1, timeout_seconds=SAMPLE_SECONDS)


@pytest.fixture(scope="module")
def records(run: Run) -> dict[Kind, list[NodeFigures]]:
    by_kind: dict[Kind, list[NodeFigures]] = {kind: [] for kind in Kind}
    for record in run.cost.record.nodes:
        by_kind[kind_of(record.node)].append(record)
    return by_kind


def test_every_node_has_a_record(records: dict[Kind, list[NodeFigures]]) -> None:
    counted = {kind: len(found) for kind, found in records.items() if kind is not Kind.GOOD}

    assert counted == MISBEHAVING
    assert sum(map(len, records.values())) == NODES


@pytest.mark.parametrize("kind", [Kind.GOOD, Kind.TAINTED])
def test_figures_are_those_that_kubelets_told(
    records: dict[Kind, list[NodeFigures]], kind: Kind
) -> None:
    image = image_of(f"{NAMESPACE}-0")

    told = {record.node: record.max_seconds for record in records[kind]}

    assert told == {node: pulling_seconds(node, image) for node in told}


def test_pod_that_runs_covers_its_node_though_its_event_was_lost(
    records: dict[Kind, list[NodeFigures]],
) -> None:
    found = {(record.samples, record.untold, record.gap) for record in records[Kind.MUTE]}
    assert found == {(0, 1, "")}


@pytest.mark.parametrize("kind", GAPS)
def test_misbehaving_nodes_are_named_with_the_reason(
    records: dict[Kind, list[NodeFigures]], kind: Kind
) -> None:
    assert {record.gap for record in records[kind]} == {GAPS[kind]}


def test_cordoned_nodes_are_covered_or_excused(records: dict[Kind, list[NodeFigures]]) -> None:
    assert {record.gap for record in records[Kind.CORDONED]} <= {"", "cordoned"}


def test_refusal_is_a_finding_that_names_nodes_and_cause(run: Run) -> None:
    (finding,) = run.cost.record.findings

    assert finding.subject == "refusing-0000, refusing-0001, refusing-0002"
    assert finding.evidence.startswith("authentication: ")


def test_uncovered_nodes_keep_the_check_from_passing(run: Run) -> None:
    uncovered = sum(MISBEHAVING[kind] for kind in GAPS) - MISBEHAVING[Kind.REFUSING]

    assert run.cost.gaps.startswith(f"{uncovered} of {NODES} nodes were not covered: ")
    for node in node_names(silent=2, rejecting=2, notready=4, virtual=1, windows=3):
        assert node in run.cost.gaps


def test_nothing_is_left_in_the_namespace(run: Run, fleet: SimulatedLab) -> None:
    assert run.cost.samples
    with KubernetesAPI(fleet.kubeconfig) as api:
        assert api.list(f"/api/v1/namespaces/{NAMESPACE}/pods") == ()
        assert api.list(f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets") == ()


def test_fleet_costs_few_calls_little_memory_and_short_results(run: Run) -> None:
    document = run.cost.record.model_dump_json(indent=4)

    assert run.cost.calls <= 10 * NODES
    assert run.cost.peak_bytes <= 256 * 1024 * 1024
    assert len(document) <= 1024 * NODES
