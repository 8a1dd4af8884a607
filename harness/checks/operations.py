"""Judges a recorded history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.diagnosis import FailureCode
from harness.findings import Code, Finding, Inconclusive
from harness.history import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.history import Operation


def failed_ratio(operations: Sequence[Operation]) -> float:
    """Return the share of operations that did not end well; unknown ones count as failed.

    Raises Inconclusive where there are none.
    """
    if not operations:
        raise Inconclusive("the history is empty: nothing was tried")
    failed = sum(operation.outcome is not Outcome.OK for operation in operations)
    return failed / len(operations)


def interrupted(operations: Sequence[Operation], moment: float) -> tuple[Operation, ...]:
    """Return operations that lost their connection and were due before a moment.

    Taken when a server has ended, in seconds since the epoch, these are the operations that it
    took with it. A runtime repeats requests on connections that it has used before, and reads
    blobs on, but gives up when the first request of a connection finds no answer.
    """
    return tuple(
        each
        for each in operations
        if each.outcome is not Outcome.OK
        and each.cause == FailureCode.CONNECTION
        and each.started < moment
    )


def held(operations: Sequence[Operation], begin: float, end: float) -> tuple[Operation, ...]:
    """Return operations that were due before a moment and ended well after a later one.

    Taken from when a server stood still until it went on, in seconds since the epoch, these are
    the operations that waited for it: it had their connection, which nobody ended.
    """
    return tuple(
        each
        for each in operations
        if each.outcome is Outcome.OK and each.started < begin and each.ended >= end
    )


def wrong_digests(
    operations: Sequence[Operation], expected: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Find operations that ended well with another digest than their reference stands for.

    Raises Inconclusive for a reference that `expected` does not know.
    """
    found: list[Finding] = []
    for operation in operations:
        if operation.outcome is not Outcome.OK:
            continue
        if operation.reference not in expected:
            raise Inconclusive(f"nobody told which digest {operation.reference} stands for")
        wanted = expected[operation.reference]
        if operation.digest != wanted:
            found.append(
                Finding(
                    Code.WRONG_BYTES,
                    operation.actor,
                    f"{operation.kind} of {operation.reference} gave "
                    f"{operation.digest or 'no digest'}, expected {wanted}",
                    "look for a moved tag, damaged storage or a proxy that changes content",
                )
            )
    return tuple(found)


def all_ended_well(operations: Sequence[Operation], subject: str) -> tuple[Finding, ...]:
    """Find operations that failed although nothing that they depend on was broken."""
    codes = {"pull": Code.PULL_FAILED, "push": Code.PUSH_FAILED}
    return tuple(
        Finding(
            codes[each.kind],
            subject,
            f"{each.kind} of {each.reference} by {each.actor}: {each.cause}: {each.evidence}",
            "find out what it has in common with what was broken at that time",
        )
        for each in operations
        if each.outcome is not Outcome.OK
    )


def failed_by(
    operations: Sequence[Operation], causes: Collection[FailureCode]
) -> tuple[Finding, ...]:
    """Find operations of one actor that a fault makes fail, and that failed for another reason."""
    return tuple(
        Finding(
            Code.WRONG_REASON,
            each.actor,
            f"{each.kind} of {each.reference}: expected {' or '.join(causes)}, got {each.cause}: "
            f"{each.evidence}",
        )
        for each in operations
        if each.outcome is not Outcome.OK and each.cause not in causes
    )


def none_accepted(operations: Sequence[Operation], begin: float, end: float) -> tuple[Finding, ...]:
    """Find operations that ended well while a fault that makes all fail was in force.

    It was so from `begin` to `end`, in seconds since the epoch. Raises Inconclusive where none
    that was due meanwhile failed either: then none was tried.
    """
    codes = {"pull": Code.PULL_ACCEPTED, "push": Code.WRITE_ACCEPTED}
    found = tuple(
        Finding(
            codes[each.kind],
            each.actor,
            f"the {each.kind} of {each.reference} ended well, although what it takes was broken",
            "find out which other way there is, and who takes it when nothing is broken",
        )
        for each in operations
        if each.outcome is Outcome.OK and begin <= each.started and each.ended <= end
    )
    due = [each for each in operations if begin <= each.started <= end]
    if not found and all(each.outcome is Outcome.OK for each in due):
        raise Inconclusive("nothing was tried while it could not work: the fault proves nothing")
    return found
