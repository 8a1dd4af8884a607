"""Makes a plan of a scenario and of what is known of its cluster; nothing is asked or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.permissions import Level, Right, rules
from harness.plan.footprint import footprints
from harness.plan.model import Plan, PlannedCluster, PlannedRegistry, PlannedRight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.permissions import Answer
    from harness.scenario.model import RegistrySpec, Scenario

_NAMESPACES: Final = ("pullproof-<run id>", "pullproof-<run id>-second")
_LEFT_IN_CLUSTER: Final = (
    "content of the pulled images in each node's image store, until the kubelet's own garbage "
    "collection removes it"
)
_LEFT_IN_REGISTRY: Final = (
    "{host}: manifests are deleted after each check where the registry allows it; blobs, and "
    "uploads that were begun, stay until it collects garbage"
)


def plan_of(
    scenario: Scenario,
    *,
    cluster: PlannedCluster,
    answers: Sequence[Answer] | None = None,
) -> Plan:
    """Return what a run of the scenario will do on a cluster.

    `answers` are those of the cluster to the rights that the run needs, None where nobody has
    asked it. A lab of our own needs no rights.
    """
    exists = scenario.cluster.provider == "existing"
    moved = footprints(scenario)
    nodes = len(cluster.nodes) or scenario.cluster.nodes
    return Plan(
        scenario=scenario.name,
        level=Level.PROBE if exists else None,
        cluster=cluster,
        registries=tuple(_registry(spec) for spec in scenario.registries),
        namespaces=_NAMESPACES if exists else (),
        objects=_objects() if exists else (),
        rights=_rights(answers) if exists else (),
        footprints=moved,
        left_behind=_left_behind(scenario) if exists else (),
        seconds=sum(footprint.seconds(nodes) for footprint in moved),
    )


def _registry(spec: RegistrySpec) -> PlannedRegistry:
    """Return a registry; one that is built is named by nobody before it is there."""
    repositories = spec.repository("<capability>/<12 hexadecimal digits>")
    return PlannedRegistry(spec.name, spec.host or "", spec.provider, repositories)


def _objects() -> tuple[str, ...]:
    """Return the kinds of objects that a run creates, all of them in its own namespaces."""
    return tuple(
        rule.resource
        for rule in rules(Level.PROBE)
        if "create" in rule.verbs and not rule.everywhere
    )


def _rights(answers: Sequence[Answer] | None) -> tuple[PlannedRight, ...]:
    if answers is not None:
        return tuple(_right(answer.right, granted=answer.granted) for answer in answers)
    return tuple(
        _right(Right(verb, rule), granted=None)
        for rule in rules(Level.PROBE)
        for verb in rule.verbs
    )


def _right(right: Right, *, granted: bool | None) -> PlannedRight:
    rule = right.rule
    return PlannedRight(
        verb=right.verb,
        resource=rule.resource,
        group=rule.group,
        everywhere=rule.everywhere,
        level=rule.level,
        why=rule.why,
        optional=rule.optional,
        granted=granted,
    )


def _left_behind(scenario: Scenario) -> tuple[str, ...]:
    hosts = [spec.host for spec in scenario.registries if spec.host]
    return (_LEFT_IN_CLUSTER, *(_LEFT_IN_REGISTRY.format(host=host) for host in hosts))
