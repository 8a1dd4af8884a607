from __future__ import annotations

import pytest

from tests.bench.figure import Figure, median_of
from tests.bench.pulls import Pair, figures


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [
        (0.98, 1.00, 1.02, "reached"),
        (0.98, 1.00, 1.03, "undecided"),
        (1.00, 1.05, 1.10, "undecided"),
        (1.03, 1.05, 1.10, "missed"),
        (None, 1.02, None, "reached"),
        (None, 1.03, None, "missed"),
    ],
)
def test_goal_is_reached_only_when_the_whole_interval_reaches_it(
    low: float | None, value: float, high: float | None, verdict: str
) -> None:
    assert Figure("some", value, "ratio", low=low, high=high, goal_max=1.02).verdict == verdict


def test_figure_without_a_goal_is_not_judged() -> None:
    assert Figure("some", 2, "s").verdict == ""


def test_ratio_is_that_of_each_pair_and_not_of_the_medians() -> None:
    pairs = [Pair(ours=1.01, bare=1), Pair(ours=4.08, bare=4), Pair(ours=2.06, bare=2)]

    ratio, sharper, ours, bare, added, _ = figures(pairs, [Pair(ours=0.012, bare=0.010)])

    assert ratio.value == pytest.approx(1.02)
    assert ratio.samples == 3
    assert ours.value == 2.06
    assert bare.value == 2
    assert added.value == pytest.approx(0.002)
    assert sharper.value == pytest.approx(1.001)


def test_median_lies_in_its_interval_which_is_the_same_each_time() -> None:
    values = [1.0, 1.1, 1.2, 1.3, 9.0]

    figure = median_of("some", values, "s")

    assert figure == median_of("some", values, "s")
    assert figure.low is not None
    assert figure.high is not None
    assert 1.0 <= figure.low <= figure.value == 1.2 <= figure.high <= 9.0
