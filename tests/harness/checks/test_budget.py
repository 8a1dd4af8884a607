from __future__ import annotations

import pytest

from harness import checks
from harness.checks.budget import PERIOD_SECONDS
from harness.findings import Inconclusive
from harness.history import Outcome
from tests.harness.checks.test_operations import operation


def test_failures_are_told_as_a_share_of_what_thirty_days_allow() -> None:
    failed = [operation("a", outcome) for outcome in Outcome]  # one of three ended well

    used = checks.error_budget_used(failed, per_second=10, objective=0.9)

    assert used == pytest.approx(2 / (PERIOD_SECONDS * 10 * 0.1))


def test_all_failing_all_the_time_uses_the_budget_as_often_as_the_objective_says() -> None:
    failed = [operation("a", Outcome.FAILED)] * 30

    used = checks.error_budget_used(failed, per_second=30 / PERIOD_SECONDS, objective=0.99)

    assert used == pytest.approx(100)


def test_nothing_that_was_tried_is_inconclusive() -> None:
    with pytest.raises(Inconclusive):
        checks.error_budget_used([], per_second=1, objective=0.999)
