"""Two runs at the same time share an engine and nothing else."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from harness.result.model import Verdict
from harness.wait import wait_until
from tests.acceptance_runs import RUN_SECONDS
from tests.integration.standing_still import standing_still
from tests.integration.whole_runs import SMALL, whole_run

if TYPE_CHECKING:
    from pathlib import Path

SMALL_RUN = ("--scenario", SMALL)
PROMISED_SECONDS = 30


def test_both_pass(tmp_path: Path) -> None:
    with (
        whole_run(tmp_path / "one", *SMALL_RUN) as one,
        whole_run(tmp_path / "two", *SMALL_RUN) as two,
    ):
        for run in (one, two):
            assert run.process.wait(RUN_SECONDS) == 0, run.output
            assert run.result().verdict is Verdict.PASSED


def test_one_passes_while_the_other_is_killed_and_cleaned_away(tmp_path: Path) -> None:
    amid, go_on = standing_still(tmp_path / "never"), tmp_path / "go-on"
    with (
        whole_run(tmp_path / "killed", *SMALL_RUN, *amid) as killed,
        whole_run(tmp_path / "living", *SMALL_RUN, *standing_still(go_on)) as living,
    ):
        for run in (killed, living):
            run.wait_for_checks()
        assert killed.send(signal.SIGKILL) == -signal.SIGKILL
        go_on.touch()

        assert living.process.wait(RUN_SECONDS) == 0, living.output
        assert living.result().verdict is Verdict.PASSED


def test_run_that_begins_while_another_is_cleaned_away_passes(tmp_path: Path) -> None:
    amid = standing_still(tmp_path / "never")
    with whole_run(tmp_path / "killed", *SMALL_RUN, *amid) as killed:
        killed.wait_for_checks()
        assert killed.send(signal.SIGKILL) == -signal.SIGKILL
    with whole_run(tmp_path / "next", *SMALL_RUN) as following:
        assert following.process.wait(RUN_SECONDS) == 0, following.output
    # by its watchdog or by the other run, whichever came first to an end
    wait_until(
        lambda: not killed.run.folder.exists(),
        timeout_seconds=PROMISED_SECONDS,
        what="the killed run to be cleaned away",
    )
