from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from harness.findings import Code, Finding
from harness.report.console import print_result
from harness.result.model import Phases, Result, Status
from harness.result.verdict import conclude
from tests.harness.result.samples import check, everything, facts

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
        "registry memory 1 87 MiB - -",
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
