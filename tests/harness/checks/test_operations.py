from __future__ import annotations

from dataclasses import replace

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.findings import Code, Inconclusive
from harness.history import Operation, Outcome


def operation(
    reference: str, outcome: Outcome = Outcome.OK, digest: str = "sha256:aa"
) -> Operation:
    return Operation(
        kind="pull",
        actor="node-1",
        reference=reference,
        started=1.0,
        ended=2.0,
        duration_seconds=1.0,
        outcome=outcome,
        digest=digest,
        transferred_bytes=1,
        cause="" if outcome is Outcome.OK else "timeout",
    )


def test_unknown_outcomes_count_as_failed() -> None:
    operations = [operation("a", outcome) for outcome in (*Outcome, Outcome.OK)]

    assert checks.failed_ratio(operations) == 0.5


def test_ratio_of_nothing_is_inconclusive() -> None:
    with pytest.raises(Inconclusive):
        checks.failed_ratio([])


def test_operations_that_a_server_took_with_it_had_begun_before_and_lost_their_connection() -> None:
    lost = replace(operation("a", Outcome.FAILED), cause=FailureCode.CONNECTION)
    fine, late = operation("b"), replace(lost, started=1.6)
    refused = operation("c", Outcome.FAILED)

    assert checks.interrupted([lost, fine, late, refused], 1.5) == (lost,)


def test_operations_that_waited_for_a_server_had_begun_before_and_ended_well() -> None:
    waited = replace(operation("a"), ended=5.0)
    soon, later = replace(waited, ended=3.9), replace(waited, started=1.6)
    failed = replace(operation("b", Outcome.FAILED), ended=5.0)

    assert checks.held([waited, soon, later, failed], 1.5, 4.0) == (waited,)


def test_wrong_and_missing_digests_are_found() -> None:
    failed = operation("c", Outcome.FAILED)
    operations = [operation("a"), operation("b"), operation("b", digest=""), failed]

    found = checks.wrong_digests(operations, {"a": "sha256:aa", "b": "sha256:bb"})

    assert [(finding.code, finding.subject) for finding in found] == [
        (Code.WRONG_BYTES, "node-1"),
        (Code.WRONG_BYTES, "node-1"),
    ]
    assert "gave no digest" in found[1].evidence


def test_reference_that_nobody_knows_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="a stands for"):
        checks.wrong_digests([operation("a")], {})


def test_operation_that_fails_although_nothing_is_broken_is_found() -> None:
    failed = operation("a", Outcome.FAILED)

    [pull] = checks.all_ended_well([operation("a"), failed], "ha.test")
    [push] = checks.all_ended_well([replace(failed, kind="push")], "ha.test")

    assert (pull.code, pull.subject) == (Code.PULL_FAILED, "ha.test")
    assert (push.code, push.subject) == (Code.PUSH_FAILED, "ha.test")
    assert "pull of a by node-1: timeout" in pull.evidence


def test_failure_by_another_cause_than_the_fault_is_found() -> None:
    operations = [operation("a"), operation("b", Outcome.FAILED), operation("c", Outcome.UNKNOWN)]

    assert checks.failed_by(operations, [FailureCode.TIMEOUT]) == ()
    found = checks.failed_by(operations, [FailureCode.STORAGE])
    assert [(each.code, each.subject) for each in found] == [(Code.WRONG_REASON, "node-1")] * 2
    assert "expected storage, got timeout" in found[0].evidence


def test_success_while_nothing_can_work_is_found() -> None:
    within = operation("a")  # from 1 to 2

    [pull] = checks.none_accepted([within], 1.0, 2.0)
    [push] = checks.none_accepted([replace(within, kind="push")], 0.5, 2.5)

    assert (pull.code, pull.subject) == (Code.PULL_ACCEPTED, "node-1")
    assert push.code == Code.WRITE_ACCEPTED


@pytest.mark.parametrize(("begin", "end"), [(1.1, 2.5), (0.5, 1.9)])
def test_success_at_the_edge_of_a_fault_is_sound(begin: float, end: float) -> None:
    failed = replace(operation("b", Outcome.FAILED), started=1.5)

    assert checks.none_accepted([operation("a"), failed], begin, end) == ()


def test_fault_during_which_nothing_was_tried_proves_nothing() -> None:
    for operations in ([operation("a")], [operation("a"), operation("b", Outcome.FAILED)]):
        with pytest.raises(Inconclusive, match="nothing was tried"):
            checks.none_accepted(operations, 5.0, 6.0)
