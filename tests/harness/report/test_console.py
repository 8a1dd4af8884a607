from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from harness.findings import Code, Finding
from harness.report.console import print_result
from harness.result.model import Measurement, Phases, Result, Status
from harness.result.verdict import conclude
from tests.harness.result.samples import COLD_PULL, check, everything, facts

WHERE = "results/20270115-080000-ab12"


def shown(result: Result, *, colours: bool = False) -> str:
    output = io.StringIO()
    console = Console(
        file=output,
        width=100,
        force_terminal=colours,
        color_system="truecolor" if colours else None,
    )
    print_result(result, console, where=WHERE)
    return output.getvalue()


def test_nothing_that_a_result_holds_is_kept_back() -> None:
    text = " ".join(shown(everything()).split())

    for words in (
        "expired-refused wrong-reason",
        "wrong-reason at node-3: expected tls-expired, got unknown: <script>",
        "remedy: renew the certificate",
        "cold pull 10MiB node-1 9 2.12 s 0.21 s at most 3.00 s met",
        "9 4.50 s 0.21 s at most 3.00 s missed",
        "1 more in report.html",
        "no plain registry (waived: we run no plain registry)",
        "primary killed: 20.50 s, 2.00 s into the check",
        "node-1 paused: 1.00 s, 30.00 s into the check,",
        "target not measured: warm_pull_p95_seconds at most 1",
        "error of the run: teardown: the network could not be removed [busy]",
        "note: cluster provider containerd",
        "time: engine 1.50 s, images 0.25 s, lab 6.00 s, checks 30.00 s, teardown 2.00 s",
        f"results: {WHERE}",
        "FAILED production-like: the system under test broke its contract",
    ):
        assert words in text


def pull(value: float, subject: str, **changed: object) -> Measurement:
    return COLD_PULL.model_copy(update={"value": value, "subject": subject, **changed})


def figures(*measurements: Measurement) -> str:
    missed = [figure for figure in measurements if figure.met is False]
    late = tuple(Finding(Code.TARGET_MISSED, figure.subject, "late") for figure in missed)
    status = Status.FAILED if missed else Status.PASSED
    judged = check("latency.a", status, findings=late, measurements=measurements)
    return " ".join(shown(conclude(facts(), [judged])).split())


def test_figures_that_met_one_target_are_told_by_the_nearest_to_it() -> None:
    text = figures(pull(1.5, "node-1"), pull(2.5, "node-2"), pull(2.0, "node-3"))

    assert "cold pull 10MiB node-2, worst of 3 9 2.50 s" in text
    assert "node-1" not in text
    assert "2 more in report.html" in text


def test_figures_that_must_be_large_are_told_by_the_smallest() -> None:
    large = {"target_max": None, "target_min": 1.0}
    text = figures(pull(1.5, "node-1", **large), pull(2.5, "node-2", **large))

    assert "node-1, worst of 2" in text


def test_every_figure_that_missed_its_target_is_shown() -> None:
    late = {"met": False}
    text = figures(pull(1.5, "node-1"), pull(4.5, "node-2", **late), pull(5.5, "node-3", **late))

    assert "cold pull 10MiB node-2 9 4.50 s" in text
    assert "cold pull 10MiB node-3 9 5.50 s" in text
    assert "cold pull 10MiB node-1 9 1.50 s" in text
    assert "more in" not in text


def test_figures_that_all_missed_have_no_best_one() -> None:
    assert "worst of" not in figures(pull(4.5, "node-1", met=False), pull(5.5, "node-2", met=False))


def test_figures_are_all_shown_where_none_has_a_target() -> None:
    free = {"target_max": None, "met": None}
    text = figures(pull(1.5, "node-1", **free), pull(2.5, "node-2", **free))

    assert "node-1 9 1.50 s" in text
    assert "node-2 9 2.50 s" in text


def test_verdict_is_the_last_line() -> None:
    last = shown(everything()).splitlines()[-1]

    assert last.startswith("FAILED production-like")


@pytest.mark.parametrize("colours", [True, False])
def test_no_line_is_wider_than_a_hundred_columns(colours: bool) -> None:
    text = shown(everything(), colours=colours)

    assert ("\x1b" in text) is colours
    assert max(len(line) for line in Text.from_ansi(text).plain.splitlines()) <= 100


def test_passed_run_is_short() -> None:
    text = shown(conclude(facts(), [check()]))

    assert "not proven" not in text
    assert "measurements" not in text
    assert text.splitlines()[-1].startswith("PASSED production-like")


def test_run_that_reached_nothing_is_told_apart() -> None:
    text = shown(conclude(facts().model_copy(update={"phases": Phases()}), []))

    assert "no phase was reached" in text
    assert text.splitlines()[-1] == "EMPTY production-like: nothing was verified"


def test_foreign_text_cannot_steer_the_terminal() -> None:
    hostile = Finding(Code.PULL_FAILED, "node-1", "\x1b[2J[bold]gone[/bold] \x1b]0;title\x07")
    text = shown(conclude(facts(), [check("trust.a", Status.FAILED, findings=(hostile,))]))

    assert "\x1b" not in text
    assert "[bold]gone[/bold]" in text
