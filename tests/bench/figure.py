"""One figure of a benchmark and whether it reaches its goal."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 10_000


@dataclass(frozen=True)
class Figure:
    """A measured value; `low` and `high` are its 95% interval where there were many samples."""

    name: str
    value: float
    unit: str
    samples: int = 1
    low: float | None = None
    high: float | None = None
    goal_max: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is reached; an interval with the goal inside decides nothing."""
        if self.goal_max is None:
            return ""
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        if high <= self.goal_max:
            return "reached"
        return "missed" if low > self.goal_max else "undecided"


def median_of(
    name: str, values: Sequence[float], unit: str, *, goal_max: float | None = None
) -> Figure:
    """Return the median with its 95% bootstrap interval; the same values give the same figure."""
    chance = random.Random(0)  # noqa: S311 - resampling, no secret
    medians = sorted(
        statistics.median(chance.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    return Figure(
        name=f"{name}, median",
        value=statistics.median(values),
        unit=unit,
        samples=len(values),
        low=medians[round(RESAMPLES * 0.025)],
        high=medians[round(RESAMPLES * 0.975)],
        goal_max=goal_max,
    )
