"""Words and figures that all renderers share."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from harness.result.model import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.result.model import CheckRecord, Measurement, Result, UnmeasuredTarget

_SENTENCES: dict[Verdict, str] = {
    Verdict.PASSED: "every required check is proven and every target is met",
    Verdict.FAILED: "the system under test broke its contract or missed a target",
    Verdict.INTERRUPTED: "the run was stopped before it ended",
    Verdict.ERROR: "the harness or its environment broke, the system was not fully judged",
    Verdict.INCONCLUSIVE: "evidence is missing, so some checks prove nothing either way",
    Verdict.NOT_VERIFIED: "a required check or a target was not verified",
    Verdict.EMPTY: "nothing was verified",
}

STATUS_WORDS: dict[Status, str] = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.ERROR: "error",
    Status.INCONCLUSIVE: "inconclusive",
    Status.NOT_VERIFIED: "not verified",
}

_WORST_FIRST = (Status.FAILED, Status.ERROR, Status.INCONCLUSIVE, Status.NOT_VERIFIED)

# Everything but tab and newline; C1 controls and lone surrogates too. Left in, terminals would
# obey them and XML could not hold them.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT_STEP = 1024
_MILLISECONDS_BELOW = 0.1
_MINUTES_FROM = 120


def printable(text: str) -> str:
    """Return foreign text with control characters made visible as replacement characters."""
    return _CONTROLS.sub("\ufffd", text)


def verdict_sentence(result: Result) -> str:
    """Say in one sentence what the verdict means."""
    return _SENTENCES[result.verdict]


def tally(result: Result) -> str:
    """Count the checks in words, such as `24 passed, 1 failed`."""
    counted = (
        (result.counts.passed, Status.PASSED),
        (result.counts.failed, Status.FAILED),
        (result.counts.error, Status.ERROR),
        (result.counts.inconclusive, Status.INCONCLUSIVE),
        (result.counts.not_verified, Status.NOT_VERIFIED),
    )
    words = [f"{count} {STATUS_WORDS[status]}" for count, status in counted if count]
    return ", ".join(words) or "no checks"


def seconds(value: float) -> str:
    """Show a duration with the digits that matter."""
    if value < _MILLISECONDS_BELOW:
        return f"{value * 1000:.1f} ms"
    if value < _MINUTES_FROM:
        return f"{value:.2f} s"
    return f"{int(value // 60)} min {value % 60:.0f} s"


def size(value: float) -> str:
    """Show bytes in the largest binary unit that keeps the figure above one."""
    for unit in _BYTE_UNITS[:-1]:
        if abs(value) < _UNIT_STEP:
            return f"{value:.4g} {unit}"
        value /= _UNIT_STEP
    return f"{value:.4g} {_BYTE_UNITS[-1]}"


def quantity(value: float, unit: str) -> str:
    """Show a figure in its unit."""
    if unit == "seconds":
        return seconds(value)
    if unit == "bytes":
        return size(value)
    return f"{value:.4g} {unit}".strip()


def bare(value: float, unit: str) -> str:
    """Show a figure as `quantity` does, but without a unit that the name of the measure tells."""
    return quantity(value, unit if unit in ("seconds", "bytes") else "")


def subject_of(measurement: Measurement) -> str:
    """Say what was measured where, without the name of the measurement."""
    return " ".join(part for part in (measurement.size_class, measurement.subject) if part)


def by_capability(result: Result) -> list[tuple[str, list[CheckRecord]]]:
    """Group the checks, which are sorted by ids that begin with their capability."""
    return [
        (capability, list(checks))
        for capability, checks in groupby(result.checks, key=lambda check: check.capability)
    ]


def measurements(result: Result) -> list[Measurement]:
    """Return all measurements: by what was measured, statistic, size and subject."""
    found = [figure for check in result.checks for figure in check.measurements]
    return sorted(found, key=_order)


def measured(figure: Measurement) -> str:
    """Name what was measured, such as `cold pull`: without statistic and unit."""
    name = figure.name.removesuffix(f"_{figure.unit}").removesuffix(f"_{figure.statistic}")
    return name.replace("_", " ")


def measured_together(result: Result) -> list[list[Measurement]]:
    """Group figures that are statistics of the same samples."""
    found: dict[tuple[str, str, str], list[Measurement]] = {}
    for figure in measurements(result):
        key = (measured(figure), figure.size_class, figure.subject)
        found.setdefault(key, []).append(figure)
    return list(found.values())


def unproven(result: Result) -> list[list[CheckRecord]]:
    """Return the checks that did not pass, the worst first; those with one reason together."""
    found: dict[tuple[Status, str], list[CheckRecord]] = {}
    for status in _WORST_FIRST:
        for check in result.checks:
            if check.status is status:
                reason = why(check) if check.status is Status.NOT_VERIFIED else check.id
                found.setdefault((status, reason), []).append(check)
    return list(found.values())


def named(checks: Sequence[CheckRecord]) -> str:
    """Name one check by its id, several by their number and capabilities."""
    first, *others = checks
    if not others:
        return first.id
    capabilities = sorted({check.capability.replace("_", " ") for check in checks})
    return f"{len(checks)} checks of {', '.join(capabilities)}"


def why(check: CheckRecord) -> str:
    """Return the reason of a check, and the waiver if the scenario has one."""
    return f"{check.reason} (waived: {check.waived})" if check.waived else check.reason


def faults(check: CheckRecord) -> list[str]:
    """Say what was broken on purpose, when, and for how long; one line for each fault."""
    return [
        f"{fault.subject} {fault.fault}: {seconds(fault.seconds)}, "
        f"{seconds(max(0, fault.injected - check.started))} into the check"
        f"{'' if fault.proven_healed else ', healing was not proven'}"
        for fault in check.faults
    ]


def target_words(target: UnmeasuredTarget) -> str:
    """Name a target, such as `cold_pull_p95_seconds at most 3 for 10MiB`, with its waiver."""
    size_class = f" for {target.size_class}" if target.size_class else ""
    waived = f" (waived: {target.waived})" if target.waived else ""
    limit = f"at most {target.max:g}" if target.max is not None else f"at least {target.min:g}"
    return f"{target.measure} {limit}{size_class}{waived}"


def limit_words(figure: Measurement, show: Callable[[float, str], str] = quantity) -> str:
    """Say what a figure was to be, such as `at most 3.00 s`; empty without a target."""
    if figure.target_max is not None:
        return f"at most {show(figure.target_max, figure.unit)}"
    if figure.target_min is not None:
        return f"at least {show(figure.target_min, figure.unit)}"
    return ""


def phases(result: Result) -> list[tuple[str, float]]:
    """Return the phases that the run reached, with their seconds."""
    reached = (
        ("engine", result.phases.engine),
        ("images", result.phases.images),
        ("lab", result.phases.lab),
        ("checks", result.phases.checks),
        ("teardown", result.phases.teardown),
    )
    return [(name, spent) for name, spent in reached if spent is not None]


def total_seconds(result: Result) -> float:
    """Return the seconds from the run's start to its end."""
    return (result.ended - result.started).total_seconds()


def _order(figure: Measurement) -> tuple[str, bool, str, int, str, str]:
    """Sort max behind the percentiles, and 10MiB before 100MiB."""
    size_class = figure.size_class
    last = figure.statistic == "max"
    return measured(figure), last, figure.statistic, len(size_class), size_class, figure.subject
