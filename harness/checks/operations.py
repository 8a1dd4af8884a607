"""Judges a recorded history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive
from harness.history import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.diagnosis import FailureCode
    from harness.history import History, Operation


def failed_ratio(history: History) -> float:
    """Return the share of operations that did not end well; unknown ones count as failed.

    Raises Inconclusive for an empty history.
    """
    operations = history.operations
    if not operations:
        raise Inconclusive("the history is empty: nothing was tried")
    failed = sum(operation.outcome is not Outcome.OK for operation in operations)
    return failed / len(operations)


def wrong_digests(history: History, expected: Mapping[str, str]) -> tuple[Finding, ...]:
    """Find operations that ended well with another digest than their reference stands for.

    Raises Inconclusive for a reference that `expected` does not know.
    """
    found: list[Finding] = []
    for operation in history.operations:
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


def push_refused(subject: str, operation: Operation, expected: FailureCode) -> tuple[Finding, ...]:
    """Find a push that was acknowledged and must not be, or refused for another reason."""
    if operation.outcome is Outcome.OK:
        return (
            Finding(
                Code.WRITE_ACCEPTED,
                subject,
                f"the push of {operation.reference} was acknowledged, it must be refused: "
                f"{expected}",
                "find out where it was stored, and who reads it there",
            ),
        )
    if operation.cause == expected:
        return ()
    return (
        Finding(
            Code.WRONG_REASON,
            subject,
            f"push of {operation.reference}: expected {expected}, got {operation.cause}: "
            f"{operation.evidence}",
        ),
    )
