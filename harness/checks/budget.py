"""Judges failures by what users are promised: an objective, and the error budget that it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.findings import Inconclusive
from harness.history import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.history import Operation

PERIOD_SECONDS: Final = 30 * 24 * 3600


def error_budget_used(
    operations: Collection[Operation], *, per_second: float, objective: float
) -> float:
    """Return the share of 30 days' error budget that one fault has used, by its history.

    An `objective` of 0.999 leaves one operation in a thousand to fail. With as many
    `per_second` as here all the time, 30 days leave a number of failures; those of the history
    are a share of it, 1 all of it. Unknown outcomes count as failed.

    Raises Inconclusive for an empty history. See "Motivation for Error Budgets" in Google's
    Site Reliability Engineering, chapter 3.
    """
    if not operations:
        raise Inconclusive("the history is empty: nothing was tried")
    failed = sum(operation.outcome is not Outcome.OK for operation in operations)
    return failed / (per_second * PERIOD_SECONDS * (1 - objective))
