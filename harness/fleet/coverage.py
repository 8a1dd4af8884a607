"""Follows one sample through a fleet: who has pulled, who has refused, who is still awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fleet.model import Answer, Fell, Gap, Hindered, Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.fleet.model import FleetNode, Sign

# What a pod shows where the node itself may be the reason, and what waiting may still change.
_OPEN = frozenset({Gap.NO_POD, Gap.NOT_SCHEDULED, Gap.NO_ANSWER})


class Coverage:
    """What events and pods of one sample tell, in any order, against the nodes there are.

    Nodes from which nothing is to be expected are not awaited, but count when they answer.
    What nodes tell that were not there at the beginning is left out.
    """

    def __init__(self, nodes: Iterable[FleetNode]) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._unanswered = {node.name for node in self._nodes.values() if node.missing is None}
        self._untold = set(self._unanswered)
        self._seconds: dict[str, float] = {}
        self._pulled: set[str] = set()
        self._fallen: dict[str, Missing] = {}
        self._hindered: dict[str, str] = {}
        self._forgiven: set[str] = set()
        self._pods: Mapping[str, Missing | None] = {}

    def note(self, sign: Sign) -> None:
        """Take an event into account.

        A refusal stays, even if a later attempt succeeds, unless the kubelet had not got the
        pull secret in time: that says nothing of the registry.
        """
        node = sign.node
        if isinstance(sign, Hindered):
            self._hindered[node] = sign.message
            if sign.lacked_secret:
                self._forgiven.add(node)
        elif isinstance(sign, Fell):
            self._mark_fallen(node, sign.missing)
        else:
            self._untold.discard(node)
            self._mark_pulled(node)
            if sign.seconds is not None:
                self._seconds.setdefault(node, sign.seconds)

    def look(self, pods: Mapping[str, Missing | None]) -> None:
        """Take all pods as they are now into account, by node: why it does not run, else None."""
        self._pods = pods
        for node, missing in pods.items():
            if missing is None:
                self._mark_pulled(node)
            elif missing.gap not in _OPEN:
                self._mark_fallen(node, missing)

    def answered(self) -> bool:
        """Whether every awaited node has pulled or will not."""
        return not self._unanswered

    def told(self) -> bool:
        """Whether besides that an event has told of every pull."""
        return not self._unanswered and not self._untold

    def conclude(self, now: Iterable[FleetNode]) -> tuple[Answer, ...]:
        """Return each node's answer, sorted by name; `now` are the nodes at the end."""
        later = {node.name: node for node in now}
        return tuple(
            self._answer(self._nodes[name], later.get(name)) for name in sorted(self._nodes)
        )

    def _mark_pulled(self, node: str) -> None:
        self._pulled.add(node)
        self._unanswered.discard(node)

    def _mark_fallen(self, node: str, missing: Missing) -> None:
        if node in self._forgiven:
            return
        self._fallen.setdefault(node, missing)
        self._unanswered.discard(node)
        self._untold.discard(node)

    def _answer(self, node: FleetNode, later: FleetNode | None) -> Answer:
        fallen = self._fallen.get(node.name)
        refused = fallen is not None and fallen.gap is Gap.PULL_REFUSED
        if node.name in self._pulled and not refused:
            return Answer(node.name, seconds=self._seconds.get(node.name))
        return Answer(node.name, missing=fallen or self._why(node, later))

    def _why(self, node: FleetNode, later: FleetNode | None) -> Missing:
        """Say why a node gave no answer; warnings tell more than silence."""
        if later is None:
            return Missing(Gap.GONE, "it was removed meanwhile")
        if standing := node.missing or later.missing:
            return standing
        pod = self._pods.get(node.name)
        if pod is None:
            return Missing(Gap.NO_POD, self._hindered.get("", ""))
        return Missing(pod.gap, pod.evidence or self._hindered.get(node.name, ""), pod.diagnosis)
