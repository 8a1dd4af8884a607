"""Figures from samples: percentiles with intervals, physical floors, targets, saturation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # it has no stubs

from harness.findings import Inconclusive
from harness.result.model import Interval, Measurement, UnmeasuredTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.scenario.model import Measure, Target

Statistic = Literal["p50", "p95", "p99", "max"]

P99_SAMPLES = 1000
SATURATED_CPU_SHARE = 0.7
CONFIDENCE = 0.95

_SHARES: dict[Statistic, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
_LONGEST_MICROSECONDS = 24 * 3600 * 1_000_000
_SIGNIFICANT_DIGITS = 3


class Samples:
    """Durations in an HDR histogram: microseconds up to a day, each exact to a thousandth.

    Histograms of several nodes merge without loss and travel as a short text.
    """

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._histogram = HdrHistogram(1, _LONGEST_MICROSECONDS, _SIGNIFICANT_DIGITS)
        for duration in seconds:
            self.add(duration)

    def add(self, seconds: float) -> None:
        """Record one duration. Raises ValueError when it is negative or longer than a day."""
        microseconds = round(seconds * 1_000_000)
        if not 0 <= microseconds <= _LONGEST_MICROSECONDS:
            raise ValueError(f"a sample of {seconds} s is negative or longer than a day")
        self._histogram.record_value(max(1, microseconds))

    def merge(self, other: Samples) -> None:
        """Add the samples of another histogram."""
        self._histogram.add(other._histogram)

    def encode(self) -> str:
        """Return all samples as a text of the HDR V2 format in base64."""
        encoded: bytes = self._histogram.encode()
        return encoded.decode()

    @classmethod
    def decode(cls, text: str) -> Samples:
        """Read what `encode` wrote."""
        samples = cls()
        samples._histogram.decode_and_add(text.encode())
        return samples

    @property
    def count(self) -> int:
        """How many samples there are."""
        return int(self._histogram.get_total_count())

    def statistic(self, statistic: Statistic) -> tuple[float, Interval]:
        """Return a statistic by nearest rank, in seconds, with its 95% bootstrap interval.

        Raises Inconclusive without samples, and for p99 with fewer than 1000.
        """
        values = self._sorted_seconds()
        if not values:
            raise Inconclusive("nothing was measured: there is no sample")
        if statistic == "p99" and len(values) < P99_SAMPLES:
            raise Inconclusive(f"p99 needs {P99_SAMPLES} samples, there are {len(values)}")
        rank = math.ceil(len(values) * _SHARES[statistic])
        return values[rank - 1], _bootstrap_interval(values, rank)

    def _sorted_seconds(self) -> list[float]:
        # The histogram's own iterators visit every bucket up to the highest: 50 ms.
        histogram = self._histogram
        return [
            float(histogram.get_highest_equivalent_value(histogram.get_value_from_index(index)))
            / 1_000_000
            for index, count in enumerate(histogram.counts)
            if count
            for _ in range(count)
        ]


def _bootstrap_interval(values: Sequence[float], rank: int) -> Interval:
    """Return the bootstrap interval of an order statistic, exact and so without any chance.

    A resample's value of this rank is at most the j-th value when at least `rank` of its n
    draws are among the lowest j: a binomial probability (Efron, "The Jackknife, the Bootstrap
    and Other Resampling Plans", 1982, section 10.3).
    """
    tail = (1 - CONFIDENCE) / 2
    return Interval(
        low=values[_rank_at(tail, len(values), rank) - 1],
        high=values[_rank_at(1 - tail, len(values), rank) - 1],
    )


def _rank_at(probability: float, count: int, rank: int) -> int:
    """Return the lowest j for which the resampled value is among the lowest j so probably."""
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if _at_least(rank, count, middle / count) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(successes: int, draws: int, chance: float) -> float:
    """Return the probability of at least so many successes in draws, `chance` below 1."""
    return math.fsum(
        math.exp(
            math.lgamma(draws + 1)
            - math.lgamma(hits + 1)
            - math.lgamma(draws - hits + 1)
            + hits * math.log(chance)
            + (draws - hits) * math.log1p(-chance)
        )
        for hits in range(successes, draws + 1)
    )


def latency(
    measure: str,
    samples: Samples,
    *,
    size_class: str = "",
    subject: str = "",
    floor: float | None = None,
) -> tuple[Measurement, ...]:
    """Turn samples into measurements: p50, p95 and max, and p99 where there are enough samples.

    `measure` is the beginning of their names: `cold_pull` gives `cold_pull_p95_seconds`.
    Raises Inconclusive without samples.
    """
    statistics: tuple[Statistic, ...] = ("p50", "p95", "max")
    if samples.count >= P99_SAMPLES:
        statistics = ("p50", "p95", "p99", "max")
    measurements: list[Measurement] = []
    for statistic in statistics:
        value, interval = samples.statistic(statistic)
        measurements.append(
            Measurement(
                name=f"{measure}_{statistic}_seconds",
                unit="seconds",
                value=value,
                statistic=statistic,
                samples=samples.count,
                size_class=size_class,
                subject=subject,
                interval=interval,
                floor=floor,
            )
        )
    return tuple(measurements)


def floor_seconds(
    transferred_bytes: int, *, network_bytes_per_second: float, disk_bytes_per_second: float
) -> float:
    """Return the least time that a pull can take: fetching to disk, then unpacking to disk."""
    slower = min(network_bytes_per_second, disk_bytes_per_second)
    return transferred_bytes / slower + transferred_bytes / disk_bytes_per_second


def judged(measurement: Measurement, targets: Iterable[Target]) -> Measurement:
    """Return the measurement with its target and whether it is met.

    A target for the size class wins over one for all sizes; of several the strictest counts.
    """
    applying = [target for target in targets if _applies(target, measurement)]
    if not applying:
        return measurement
    target = min(applying, key=_strictness)
    met = (target.max is None or measurement.value <= target.max) and (
        target.min is None or measurement.value >= target.min
    )
    return measurement.model_copy(
        update={"target_max": target.max, "target_min": target.min, "met": met}
    )


def _strictness(target: Target) -> tuple[bool, float, float]:
    """Return what sorts targets of one measure, the strictest first."""
    return target.size_class is None, target.max or 0, -(target.min or 0)


def not_measured(
    targets: Iterable[Target],
    measurements: Sequence[Measurement],
    *,
    waived: Mapping[Measure, str],
) -> tuple[UnmeasuredTarget, ...]:
    """Return the targets that none of the measurements can answer.

    `waived` holds measures that need not be taken, with the reason.
    """
    return tuple(
        UnmeasuredTarget(
            measure=target.measure,
            size_class=target.size_class or "",
            max=target.max,
            min=target.min,
            waived=waived.get(target.measure, ""),
        )
        for target in targets
        if not any(_applies(target, measurement) for measurement in measurements)
    )


def _applies(target: Target, measurement: Measurement) -> bool:
    return target.measure == measurement.name and (
        target.size_class is None or target.size_class == measurement.size_class
    )


def refuse_saturation(cpu_share: float) -> None:
    """Raise Inconclusive when the measuring side was busy for more than 70% of its CPU share.

    `cpu_share` is 1 for all of the processors that it may use.
    """
    if cpu_share > SATURATED_CPU_SHARE:
        raise Inconclusive(
            f"the measuring side used {cpu_share:.0%} of its processors, more than "
            f"{SATURATED_CPU_SHARE:.0%}: the figures would tell of it, not of the system"
        )
