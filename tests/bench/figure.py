"""One figure of a benchmark and whether it reaches its goal."""

from __future__ import annotations

from dataclasses import dataclass


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
