"""A plan for people."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harness.scenario.model import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.plan.model import Plan, PlannedRegistry, PlannedRight

_MINUTE = 60


def as_text(plan: Plan) -> str:
    """Return a plan as lines that a person can read."""
    return "\n".join(
        [
            f"plan of {plan.scenario}; nothing has been written",
            *_section("cluster", _cluster(plan)),
            *_section("registries", map(_registry, plan.registries)),
            *_section("moves, at most", _moves(plan)),
            *_section("creates, and deletes afterwards", _creates(plan)),
            *_section("needs the rights", _rights(plan)),
            *_section("leaves behind", plan.left_behind or ("nothing outside the lab",)),
            _duration(plan.seconds),
            "",
        ]
    )


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = [f"  {line}" for line in lines]
    if found:
        yield title
        yield from found


def _cluster(plan: Plan) -> Iterator[str]:
    cluster = plan.cluster
    level = f", permission level {plan.level}" if plan.level else ""
    yield f"{cluster.provider}{f' at {cluster.server}' if cluster.server else ''}{level}"
    if cluster.nodes:
        yield f"{len(cluster.nodes)} nodes: {', '.join(cluster.nodes)}"
    else:
        yield "nodes: not asked for; name a kubeconfig"
    yield from cluster.left_out


def _registry(registry: PlannedRegistry) -> str:
    if registry.provider != "existing":
        return f"{registry.name}: built for the run"
    return f"{registry.name}: pushes to {registry.host}/{registry.repositories}"


def _moves(plan: Plan) -> Iterator[str]:
    for each in plan.footprints:
        yield (
            f"{each.capability}: pushes {each.images} images, {_size(each.pushed_bytes)}; "
            f"each node pulls {each.pulls_per_node} times, {_size(each.pulled_bytes_per_node)}"
        )
    pushed = sum(each.pushed_bytes for each in plan.footprints)
    pulled = sum(each.pulled_bytes_per_node for each in plan.footprints)
    images = sum(each.images for each in plan.footprints)
    pulls = sum(each.pulls_per_node for each in plan.footprints)
    nodes = len(plan.cluster.nodes)
    all_nodes = f"; all nodes {_size(pulled * nodes)}" if nodes else ""
    yield (
        f"in all: pushes {images} images, {_size(pushed)}; each node pulls {pulls} times, "
        f"{_size(pulled)}{all_nodes}"
    )


def _creates(plan: Plan) -> Iterator[str]:
    if plan.namespaces:
        yield f"namespaces {' and '.join(plan.namespaces)}, labelled pullproof.run"
        yield f"in them {', '.join(plan.objects)}"


def _rights(plan: Plan) -> Iterator[str]:
    def kind(right: PlannedRight) -> tuple[str, str, bool, str]:
        return right.resource, right.group, right.everywhere, right.why

    for _, group in groupby(plan.rights, kind):
        yield _right(list(group))
    if plan.rights:
        yield "none of the level disrupt: nothing that is not the run's own is broken or changed"


def _right(rights: Sequence[PlannedRight]) -> str:
    first = rights[0]
    verbs = ", ".join(f"{right.verb}{_MARKS[right.granted]}" for right in rights)
    group = f".{first.group}" if first.group else ""
    where = "everywhere" if first.everywhere else "in its namespaces"
    optional = f"; optional, else unverified: {first.optional}" if first.optional else ""
    return f"{first.level}: {first.resource}{group} {where}: {verbs} ({first.why}{optional})"


_MARKS = {True: " [granted]", False: " [MISSING]", None: ""}


def _duration(seconds: float) -> str:
    minutes = max(1, round(seconds / _MINUTE))
    return f"takes about {minutes} min once nodes and registries are there"


def _size(count: int) -> str:
    return f"{count / MIB:.0f} MiB"
