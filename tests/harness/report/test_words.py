from __future__ import annotations

import pytest

from harness.report.words import (
    by_capability,
    limit_words,
    measurements,
    named,
    phases,
    printable,
    quantity,
    tally,
    target_words,
    unproven,
    verdict_sentence,
)
from harness.result.model import Phases, Status, UnmeasuredTarget, Verdict
from harness.result.verdict import conclude
from tests.harness.result.samples import COLD_PULL, check, everything, facts


def test_every_verdict_has_its_own_sentence() -> None:
    results = [everything().model_copy(update={"verdict": verdict}) for verdict in Verdict]

    assert len({verdict_sentence(result) for result in results}) == len(Verdict)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0512, "seconds", "51.2 ms"),
        (2.5, "seconds", "2.50 s"),
        (200, "seconds", "3 min 20 s"),
        (100, "bytes", "100 B"),
        (1536, "bytes", "1.5 KiB"),
        (3 * 1024**4, "bytes", "3 TiB"),
        (5.25, "pulls", "5.25 pulls"),
        (0.5, "", "0.5"),
    ],
)
def test_figures_are_shown_in_readable_units(value: float, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_control_characters_of_foreign_text_are_not_passed_on() -> None:
    assert printable("a\x1b[2J\x00\x9b\n\tb\ud800") == "a\ufffd[2J\ufffd\ufffd\n\tb\ufffd"


def test_unmeasured_target_is_named_with_its_waiver() -> None:
    target = UnmeasuredTarget(measure="rollout_seconds", max=60)
    excused = target.model_copy(update={"waived": "no kubelet here"})

    assert target_words(target) == "rollout_seconds at most 60"
    assert target_words(excused) == "rollout_seconds at most 60 (waived: no kubelet here)"


def test_target_that_asks_for_much_is_named_so() -> None:
    target = UnmeasuredTarget(measure="local_speedup", min=5, size_class="10MiB")

    assert target_words(target) == "local_speedup at least 5 for 10MiB"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"target_max": 3.0}, "at most 3.00 s"),
        ({"target_max": None, "target_min": 5.0}, "at least 5.00 s"),
        ({"target_max": None}, ""),
    ],
)
def test_limit_of_a_figure_is_said_in_its_unit(limits: dict[str, float | None], words: str) -> None:
    assert limit_words(COLD_PULL.model_copy(update=limits)) == words


def test_empty_run_counts_no_checks() -> None:
    assert tally(conclude(facts(), ())) == "no checks"


def test_checks_are_grouped_by_capability() -> None:
    groups = by_capability(everything())

    assert [(name, len(checks)) for name, checks in groups] == [("latency", 2), ("trust", 5)]


def test_worst_checks_come_first() -> None:
    assert [group[0].status for group in unproven(everything())] == [
        "failed",
        "failed",
        "error",
        "inconclusive",
        "not_verified",
        "not_verified",
    ]


def test_checks_that_could_not_run_for_one_reason_are_told_together() -> None:
    reason = "no kubelet"
    result = conclude(
        facts(),
        [
            check("trust.always", Status.NOT_VERIFIED, reason=reason),
            check("latency.fleet", Status.NOT_VERIFIED, reason=reason),
            check("trust.mirror", Status.NOT_VERIFIED, reason="no mirror"),
            check("trust.first", Status.ERROR, reason=reason),
            check("trust.second", Status.ERROR, reason=reason),
        ],
    )

    assert [named(group) for group in unproven(result)] == [
        "trust.first",
        "trust.second",
        "2 checks of latency, trust",
        "trust.mirror",
    ]


def test_small_sizes_come_before_big_ones() -> None:
    sizes = [COLD_PULL.model_copy(update={"size_class": size}) for size in ("100MiB", "10MiB")]
    result = conclude(facts(), [check("latency.cold", measurements=tuple(sizes))])

    assert [figure.size_class for figure in measurements(result)] == ["10MiB", "100MiB"]


def test_phases_that_were_not_reached_are_left_out() -> None:
    result = everything().model_copy(update={"phases": Phases(engine=1.0)})

    assert phases(result) == [("engine", 1.0)]
