from __future__ import annotations

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.findings import Code, Inconclusive
from harness.history import History, Operation, Outcome


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
    history = History([operation("a", outcome) for outcome in (*Outcome, Outcome.OK)])

    assert checks.failed_ratio(history) == 0.5


def test_empty_history_is_inconclusive() -> None:
    with pytest.raises(Inconclusive):
        checks.failed_ratio(History())


def test_wrong_and_missing_digests_are_found() -> None:
    history = History(
        [operation("a"), operation("b"), operation("b", digest=""), operation("c", Outcome.FAILED)]
    )

    found = checks.wrong_digests(history, {"a": "sha256:aa", "b": "sha256:bb"})

    assert [(finding.code, finding.subject) for finding in found] == [
        (Code.WRONG_BYTES, "node-1"),
        (Code.WRONG_BYTES, "node-1"),
    ]
    assert "gave no digest" in found[1].evidence


def test_reference_that_nobody_knows_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="a stands for"):
        checks.wrong_digests(History([operation("a")]), {})


def test_push_that_is_refused_for_its_reason_is_sound() -> None:
    refused = operation("a", Outcome.FAILED)

    assert checks.push_refused("ha-1", refused, FailureCode.TIMEOUT) == ()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Outcome.OK, Code.WRITE_ACCEPTED), (Outcome.UNKNOWN, Code.WRONG_REASON)],
)
def test_push_that_is_not_refused_for_its_reason_is_found(outcome: Outcome, code: Code) -> None:
    [found] = checks.push_refused("ha-1", operation("a", outcome), FailureCode.STORAGE)

    assert (found.code, found.subject) == (code, "ha-1")
