"""Follows one sample through a fleet: who has pulled, who has refused, who is still awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fleet.model import Answer, Fell, Gap, Hindered, Missing, Pulled, Ran

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.fleet.model import FleetNode, Sign

# What a pod shows where the node itself is the reason.
_SILENCE = frozenset({Gap.NO_POD, Gap.NOT_SCHEDULED, Gap.NO_ANSWER})


class Coverage:
    """Signs of one sample, in any order and any number of times, against the nodes there are.

    Nodes from which nothing is to be expected are not awaited, but count when they answer.
    Signs of nodes that were not there at the beginning are left out.
    """

    def __init__(self, nodes: Iterable[FleetNode]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._awaited = {node.name for node in self._nodes.values() if node.missing is None}
        self._untold = set(self._awaited)
        self._seconds: dict[str, float] = {}
        self._pulled: set[str] = set()
        self._fallen: dict[str, Missing] = {}
        self._hindered: dict[str, str] = {}

    def note(self, sign: Sign) -> None:
        """Take a sign into account. A refusal stays, even if a later attempt succeeds."""
        node = sign.node
        match sign:
            case Hindered():
                self._hindered[node] = sign.message
            case Ran():
                self._pulled.add(node)
                self._awaited.discard(node)
            case Pulled():
                self._pulled.add(node)
                self._awaited.discard(node)
                self._untold.discard(node)
                if sign.seconds is not None:
                    self._seconds.setdefault(node, sign.seconds)
            case Fell():
                self._fallen.setdefault(node, sign.missing)
                self._awaited.discard(node)
                self._untold.discard(node)

    @property
    def answered(self) -> bool:
        """Whether every awaited node has run its pod or will not."""
        return not self._awaited

    @property
    def told(self) -> bool:
        """Whether besides that every kubelet has told of its pull."""
        return not self._awaited and not self._untold

    def conclude(
        self,
        found: Mapping[str, Missing | None] | None = None,
        now: Iterable[FleetNode] | None = None,
    ) -> tuple[Answer, ...]:
        """Return each node's answer, sorted by name.

        `found` are the pods of those who had not answered in time, by their nodes: why each has
        not run, None where it has; `now` are the nodes as they are then.
        """
        later = {node.name: node for node in now} if now is not None else self._nodes
        return tuple(
            self._answer(self._nodes[name], found or {}, later.get(name))
            for name in sorted(self._nodes)
        )

    def _answer(
        self, node: FleetNode, found: Mapping[str, Missing | None], later: FleetNode | None
    ) -> Answer:
        refused = self._fallen.get(node.name)
        ran = node.name in self._pulled or (node.name in found and found[node.name] is None)
        if refused is not None and (refused.gap is Gap.PULL_REFUSED or not ran):
            return Answer(node.name, missing=refused)
        if ran:
            return Answer(node.name, seconds=self._seconds.get(node.name))
        if node.missing is not None:
            return Answer(node.name, missing=node.missing)
        if later is None:
            return Answer(node.name, missing=Missing(Gap.GONE, "it was removed meanwhile"))
        why = self._why(node.name, found)
        silent = why.gap in _SILENCE
        return Answer(node.name, missing=(silent and later.missing) or why)

    def _why(self, node: str, found: Mapping[str, Missing | None]) -> Missing:
        """Say why a node that could have answered has not; warnings tell more than silence."""
        missing = found.get(node)
        if missing is None:
            return Missing(Gap.NO_POD, self._hindered.get("", ""))
        return Missing(
            missing.gap, missing.evidence or self._hindered.get(node, ""), missing.diagnosis
        )
