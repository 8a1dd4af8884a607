"""Judges how a registry served while a part of it was broken, and what that cost its users."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from harness.findings import Code, Finding, Inconclusive
from harness.history import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.history import FaultInterval, Operation
    from harness.registry.protocols import Request, Session

# So many operations in a row that nothing disturbs show that a system works steadily again.
STEADY: Final = 5
_PARTIAL: Final = HTTPStatus.PARTIAL_CONTENT


@dataclass(frozen=True)
class Figure:
    """One figure of what a fault cost."""

    name: str
    unit: str
    value: float


def recovery_seconds(
    operations: Sequence[Operation],
    fault: FaultInterval,
    *,
    slow_seconds: float,
    steady: int = STEADY,
) -> float:
    """Return how long it took from a fault's injection until operations ended well steadily.

    An operation is disturbed when it failed, or took longer than `slow_seconds` from the moment
    when it was due. Operations end well steadily from the first `steady` on that were due one
    after the other, none of them disturbed, with no failure after them. The figure is the time
    from the injection until the last disturbed operation that was due before those has ended and
    the first of those is due, because nobody has seen what was in between; 0 where none was
    disturbed. What had ended before the injection does not count.

    Raises Inconclusive where there are not so many, or fewer were due after the healing: else it
    might be the end of the load that ended the disturbance.
    """
    moment = _recovered(operations, fault, slow_seconds, steady)
    if moment is None:
        raise Inconclusive(
            f"no {steady} operations in a row ended well after {fault.subject} was {fault.fault} "
            "and until after it was healed: nothing shows that it works again"
        )
    return moment - fault.injected


def is_steady(
    operations: Sequence[Operation],
    fault: FaultInterval,
    *,
    slow_seconds: float,
    steady: int = STEADY,
) -> bool:
    """Tell whether what has ended so far shows when operations ended well steadily again."""
    return _recovered(operations, fault, slow_seconds, steady) is not None


def comes_back(
    operations: Sequence[Operation], fault: FaultInterval, subject: str, *, steady: int = STEADY
) -> tuple[Finding, ...]:
    """Find that of the last `steady` operations, all begun after a fault was healed, some failed.

    `subject` is the registry, or the node that was broken. Fewer tell nothing; `recovery_seconds`
    is then inconclusive.
    """
    in_order = sorted(operations, key=lambda each: each.started)
    after = [each for each in in_order if each.started > fault.healed]
    failed = [each for each in after[-steady:] if each.outcome is not Outcome.OK]
    if not failed or len(after) < steady:
        return ()
    return (
        Finding(
            Code.SERVICE_LOST,
            subject,
            f"{len(failed)} of the last {steady} operations failed, all begun after "
            f"{fault.subject} was healed: {failed[-1].cause}: {failed[-1].evidence}",
            "compare what the healed part is configured as with what it was before: it may have "
            "read another configuration when it started",
        ),
    )


def outage_seconds(operations: Sequence[Operation], fault: FaultInterval) -> float:
    """Return the longest time in which no operation ended well, from a fault's injection on.

    Operations that began before the injection do not count. Raises Inconclusive where none that
    began later ended well.
    """
    ends = sorted(
        each.ended
        for each in operations
        if each.outcome is Outcome.OK and each.started > fault.injected
    )
    if not ends:
        raise Inconclusive(f"nothing ended well after {fault.subject} was {fault.fault}")
    moments = [fault.injected, *ends]
    return max(later - earlier for earlier, later in zip(moments, ends, strict=False))


def pull_figures(
    operations: Sequence[Operation], fault: FaultInterval, *, slow_seconds: float
) -> tuple[Figure, ...]:
    """Return what a fault cost those who pulled, besides failures.

    `longest_gap_seconds` is the longest time in which no pull ended well. `late_pulls` ended well
    after more than `slow_seconds`: the registry was not there, and the runtime waited and tried
    again.
    """
    return (
        Figure("longest_gap_seconds", "seconds", outage_seconds(operations, fault)),
        Figure(
            "slowest_pull_seconds", "seconds", max(each.duration_seconds for each in operations)
        ),
        Figure("late_pulls", "pulls", sum(_late(each, slow_seconds) for each in operations)),
    )


def made_up(sessions: Sequence[Session], requests: Sequence[Request]) -> tuple[Figure, ...]:
    """Return who made up for what was broken.

    `resumed_reads` of blobs are retries of a runtime in the midst of a layer, by the answer 206,
    for which nobody else asks. `moved_connections` are those that the load balancer gave to
    another replica: of these the runtimes noticed nothing.
    """
    return (
        Figure("resumed_reads", "reads", _resumed_reads(requests)),
        Figure("moved_connections", "connections", sum(each.redispatched for each in sessions)),
    )


def require_resumed_reads(requests: Sequence[Request]) -> None:
    """Raise Inconclusive where no blob was read on from where a transfer had been broken off."""
    if not _resumed_reads(requests):
        raise Inconclusive("no transfer was broken off: the pull was over before it could be")


def all_in_service(servers: Collection[str], in_service: Collection[str]) -> tuple[Finding, ...]:
    """Find servers to which the load balancer does not send."""
    return tuple(
        Finding(
            Code.SERVICE_LOST,
            server,
            f"the load balancer sends it nothing; it sends to {', '.join(in_service) or 'none'}",
            "read the logs of the server and of the load balancer: which check of its health fails",
        )
        for server in servers
        if server not in in_service
    )


def all_are_ready(unready: Collection[str]) -> tuple[Finding, ...]:
    """Find nodes whose kubelets do not tell that they are ready."""
    return tuple(
        Finding(
            Code.SERVICE_LOST,
            node,
            "its kubelet has not told since the node was started that it is ready for pods",
            "read the node's journal: do its runtime, its kubelet and its network start with it",
        )
        for node in unready
    )


def all_were_used(servers: Collection[str], sessions: Sequence[Session]) -> tuple[Finding, ...]:
    """Find servers that got no connection. Raises Inconclusive where there was none at all."""
    if not sessions:
        raise Inconclusive("the load balancer tells of no connection")
    used = {session.server for session in sessions}
    return tuple(
        Finding(
            Code.SERVICE_LOST,
            server,
            f"none of {len(sessions)} connections was for it: the load stays with the others",
            "look at the load balancer's algorithm, weights and stickiness",
        )
        for server in servers
        if server not in used
    )


def _resumed_reads(requests: Sequence[Request]) -> int:
    return sum(each.status == _PARTIAL for each in requests)


def _recovered(
    operations: Sequence[Operation], fault: FaultInterval, slow_seconds: float, steady: int
) -> float | None:
    """Return when operations ended well steadily again, None where nothing shows it."""
    in_order = sorted(operations, key=lambda each: each.started)
    touched = [each for each in in_order if each.ended > fault.injected]
    failures = [each.ended for each in touched if each.outcome is not Outcome.OK]
    begin = max([fault.injected, *failures])
    steady_from = _steady_from(in_order, begin, slow_seconds, steady)
    healthy = sum(each.started > fault.healed for each in in_order)
    if steady_from is None or healthy < steady:
        return None
    before = (each for each in touched if each.started < steady_from)
    disturbed = [each.ended for each in before if _disturbed(each, slow_seconds)]
    return max(*disturbed, steady_from) if disturbed else fault.injected


def _steady_from(
    operations: Sequence[Operation], moment: float, slow_seconds: float, steady: int
) -> float | None:
    """Return when the first of enough undisturbed operations in a row was due after a moment."""
    row: list[Operation] = []
    for each in operations:
        if each.started > moment:
            row = [] if _disturbed(each, slow_seconds) else [*row, each]
        if len(row) == steady:
            return row[0].started
    return None


def _disturbed(operation: Operation, slow_seconds: float) -> bool:
    return operation.outcome is not Outcome.OK or _late(operation, slow_seconds)


def _late(operation: Operation, slow_seconds: float) -> bool:
    return operation.outcome is Outcome.OK and operation.duration_seconds > slow_seconds
