"""What a fleet's answers come to: a compact record per node, figures of the whole, findings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.findings import Code, Finding, Inconclusive
from harness.fleet.model import EXCUSED, Gap
from harness.measure import Samples, latency
from harness.result.model import Measurement, NodeFigures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.fleet.model import Answer, Missing

MEASURE: Final = "fleet_cold_pull"
_EVIDENCE_CHARACTERS: Final = 200
_NAMED: Final = 20


@dataclass
class _NodeAnswers:
    """What one node answered so far."""

    seconds: list[float] = field(default_factory=list)
    untold: int = 0
    missing: Missing | None = None


class FleetFigures:
    """Gathers the answers of all nodes, sample by sample."""

    def __init__(self) -> None:
        self._nodes: dict[str, _NodeAnswers] = defaultdict(_NodeAnswers)

    def add(self, answers: Iterable[Answer]) -> None:
        """Count the answers to one sample. What a node missed first is kept."""
        for answer in answers:
            node = self._nodes[answer.node]
            node.missing = node.missing or answer.missing
            if answer.seconds is not None:
                node.seconds.append(answer.seconds)
            elif answer.covered:
                node.untold += 1

    def records(self) -> tuple[NodeFigures, ...]:
        """Return one record per node, sorted by name."""
        return tuple(_record(name, self._nodes[name]) for name in sorted(self._nodes))

    def measurements(self, size_class: str) -> tuple[Measurement, ...]:
        """Return p50, p95 and max of all nodes' pulls together, p99 of 1000 pulls or more.

        Besides that: how many pulls were seen to succeed without a figure, where there are any,
        because kubelets send only so many events. Nothing where no kubelet told its time.
        """
        told = Samples(seconds for node in self._nodes.values() for seconds in node.seconds)
        if told.count == 0:
            return ()
        figures = latency(MEASURE, told, size_class=size_class)
        untold = sum(node.untold for node in self._nodes.values())
        if untold == 0:
            return figures
        without_figure = Measurement(
            name=f"{MEASURE}_without_figure",
            unit="pulls",
            value=untold,
            statistic="max",
            samples=1,
            size_class=size_class,
        )
        return (*figures, without_figure)

    def refusals(self) -> tuple[Finding, ...]:
        """Return one finding per reason why nodes refused to pull; it names them."""
        groups: dict[str, list[tuple[str, Missing]]] = defaultdict(list)
        for name, missing in self._all_missing():
            if missing.diagnosis is not None:
                groups[missing.diagnosis.code].append((name, missing))
        return tuple(_refused(code, group) for code, group in sorted(groups.items()))

    def require_all(self) -> None:
        """Raise Inconclusive that names the nodes which gave no answer although pods may run there.

        It is raised too where no kubelet told how long it pulled.
        """
        groups: dict[Gap, list[tuple[str, Missing]]] = defaultdict(list)
        for name, missing in self._all_missing():
            if missing.diagnosis is None and missing.gap not in EXCUSED:
                groups[missing.gap].append((name, missing))
        if groups:
            uncovered = sum(len(group) for group in groups.values())
            told = "; ".join(f"{gap}: {_named(group)}" for gap, group in sorted(groups.items()))
            raise Inconclusive(f"{uncovered} of {len(self._nodes)} nodes were not covered: {told}")
        if not any(node.seconds for node in self._nodes.values()):
            raise Inconclusive("no kubelet told how long it pulled; are events kept?")

    def _all_missing(self) -> tuple[tuple[str, Missing], ...]:
        return tuple(
            (name, node.missing)
            for name, node in sorted(self._nodes.items())
            if node.missing is not None
        )


def _record(name: str, node: _NodeAnswers) -> NodeFigures:
    ordered = sorted(node.seconds)
    missing = node.missing
    return NodeFigures(
        node=name,
        samples=len(ordered),
        untold=node.untold,
        p50_seconds=ordered[(len(ordered) - 1) // 2] if ordered else None,
        max_seconds=ordered[-1] if ordered else None,
        histogram=Samples(ordered).encode() if ordered else "",
        gap=missing.gap if missing else "",
        evidence=missing.evidence[:_EVIDENCE_CHARACTERS] if missing else "",
    )


def _refused(code: str, group: Sequence[tuple[str, Missing]]) -> Finding:
    missing = group[0][1]
    remedy = missing.diagnosis.remedy if missing.diagnosis else ""
    names = [name for name, _ in group]
    return Finding(Code.PULL_FAILED, _names(names), f"{code}: {missing.evidence}", remedy)


def _named(group: Sequence[tuple[str, Missing]]) -> str:
    """Name nodes, with the first one's evidence as an example."""
    evidence = next((missing.evidence for _, missing in group if missing.evidence), "")
    example = f" ({evidence[:_EVIDENCE_CHARACTERS]})" if evidence else ""
    return _names([name for name, _ in group]) + example


def _names(names: Sequence[str]) -> str:
    """Join names; of very many the result's records name the rest."""
    rest = len(names) - _NAMED
    more = f" and {rest} more, which `nodes` of the result names" if rest > 0 else ""
    return ", ".join(names[:_NAMED]) + more
