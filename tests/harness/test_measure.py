from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from harness.findings import Inconclusive
from harness.measure import (
    Samples,
    floor_seconds,
    judged,
    latency,
    not_measured,
    refuse_saturation,
)
from harness.result.model import Measurement
from harness.scenario.model import Target

if TYPE_CHECKING:
    from harness.scenario.model import Measure

THOUSANDTH = 1e-3


def measurement(value: float = 2.0, size_class: str = "10MiB") -> Measurement:
    return Measurement(
        name="cold_pull_p95_seconds",
        unit="seconds",
        value=value,
        statistic="p95",
        samples=3,
        size_class=size_class,
    )


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    samples = Samples(number / 100 for number in range(1, 101))

    assert samples.statistic("p50")[0] == pytest.approx(0.50, rel=THOUSANDTH)
    assert samples.statistic("p95")[0] == pytest.approx(0.95, rel=THOUSANDTH)
    assert samples.statistic("max")[0] == pytest.approx(1.00, rel=THOUSANDTH)


def test_microseconds_are_told_apart() -> None:
    value, _ = Samples([0.000_051, 0.000_052, 0.000_053]).statistic("p50")

    assert value == 0.000_052


def test_interval_agrees_with_resampling() -> None:
    chance = random.Random(7)  # noqa: S311 - not for secrets
    values = sorted(chance.expovariate(1) for _ in range(40))
    medians = sorted(sorted(chance.choices(values, k=40))[19] for _ in range(4000))

    _, interval = Samples(values).statistic("p50")

    assert interval.low == pytest.approx(medians[100], rel=0.1)
    assert interval.high == pytest.approx(medians[3900], rel=0.1)


def test_interval_of_one_sample_is_that_sample() -> None:
    value, interval = Samples([1.5]).statistic("p95")

    assert interval.low == interval.high == value


def test_interval_is_the_same_every_time() -> None:
    values = [0.1, 0.4, 0.2, 0.9, 0.3]

    assert Samples(values).statistic("p95") == Samples(reversed(values)).statistic("p95")


def test_p99_is_refused_below_a_thousand_samples() -> None:
    with pytest.raises(Inconclusive, match="p99 needs 1000 samples, there are 999"):
        Samples([0.1] * 999).statistic("p99")


def test_p99_is_given_from_a_thousand_samples() -> None:
    samples = Samples([0.1] * 989 + [2.0] * 11)

    assert samples.statistic("p99")[0] == pytest.approx(2.0, rel=THOUSANDTH)
    assert [figure.statistic for figure in latency("cold_pull", samples)] == [
        "p50",
        "p95",
        "p99",
        "max",
    ]


def test_nothing_measured_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="no sample"):
        latency("cold_pull", Samples())


@pytest.mark.parametrize("seconds", [-0.1, 86_401.0])
def test_impossible_sample_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="negative or longer than a day"):
        Samples([seconds])


def test_histograms_of_nodes_merge_through_their_text() -> None:
    one, other = Samples([0.1, 0.2]), Samples([0.3, 0.0])

    merged = Samples.decode(one.encode())
    merged.merge(Samples.decode(other.encode()))

    assert merged.count == 4
    assert merged.statistic("max") == Samples([0.1, 0.2, 0.3, 0.0]).statistic("max")


def test_latency_names_its_figures_as_targets_do() -> None:
    figures = latency("cold_pull", Samples([1.0]), size_class="10MiB", subject="node-1", floor=0.2)

    assert [figure.name for figure in figures] == [
        "cold_pull_p50_seconds",
        "cold_pull_p95_seconds",
        "cold_pull_max_seconds",
    ]
    assert {(figure.size_class, figure.subject, figure.floor) for figure in figures} == {
        ("10MiB", "node-1", 0.2)
    }


def test_floor_is_the_slower_of_network_and_disk_and_the_unpacking() -> None:
    slow_network = floor_seconds(100, network_bytes_per_second=10, disk_bytes_per_second=50)
    slow_disk = floor_seconds(100, network_bytes_per_second=1000, disk_bytes_per_second=50)

    assert slow_network == 12
    assert slow_disk == 4


TARGETS = (
    Target(measure="cold_pull_p95_seconds", max=1.0),
    Target(measure="cold_pull_p95_seconds", max=3.0, size_class="10MiB"),
    Target(measure="cold_pull_p95_seconds", max=2.5, size_class="10MiB"),
    Target(measure="warm_pull_p95_seconds", max=0.1),
)


@pytest.mark.parametrize(
    ("value", "size_class", "target", "met"),
    [
        (2.0, "10MiB", 2.5, True),
        (2.5, "10MiB", 2.5, True),
        (2.6, "10MiB", 2.5, False),
        (2.0, "100MiB", 1.0, False),
    ],
)
def test_most_specific_and_strictest_target_judges(
    value: float, size_class: str, target: float, met: bool
) -> None:
    figure = judged(measurement(value, size_class), TARGETS)

    assert (figure.target_max, figure.met) == (target, met)


@pytest.mark.parametrize(("value", "met"), [(4.9, False), (5.0, True)])
def test_what_must_be_large_is_judged_by_the_highest_minimum(value: float, met: bool) -> None:
    targets = [Target(measure="local_speedup", min=least) for least in (3.0, 5.0, 4.0)]
    figure = judged(measurement(value).model_copy(update={"name": "local_speedup"}), targets)

    assert (figure.target_max, figure.target_min, figure.met) == (None, 5.0, met)


def test_measurement_without_target_is_neither_met_nor_missed() -> None:
    figure = judged(measurement(), TARGETS[3:])

    assert (figure.target_max, figure.met) == (None, None)


def test_targets_that_nothing_measured_are_named() -> None:
    missing = not_measured(TARGETS, [measurement(size_class="100MiB")], waived={})

    assert [(target.measure, target.size_class, target.max) for target in missing] == [
        ("cold_pull_p95_seconds", "10MiB", 3.0),
        ("cold_pull_p95_seconds", "10MiB", 2.5),
        ("warm_pull_p95_seconds", "", 0.1),
    ]


def test_target_that_need_not_be_measured_tells_why() -> None:
    waived: dict[Measure, str] = {"warm_pull_p95_seconds": "no node here"}
    missing = not_measured(TARGETS, [], waived=waived)

    assert {target.measure: target.waived for target in missing} == {
        "cold_pull_p95_seconds": "",
        "warm_pull_p95_seconds": "no node here",
    }


def test_saturated_measuring_side_is_inconclusive() -> None:
    refuse_saturation(0.7)

    with pytest.raises(Inconclusive, match="used 71% of its processors"):
        refuse_saturation(0.71)
