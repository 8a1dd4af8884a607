"""Two runs at the same time share an engine and nothing else."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from harness.result.model import Verdict
from tests.integration.whole_runs import RUN_SECONDS, SMALL, whole_run

if TYPE_CHECKING:
    from pathlib import Path

SMALL_RUN = ("--scenario", SMALL)


def test_both_pass(tmp_path: Path) -> None:
    with (
        whole_run(tmp_path / "one", *SMALL_RUN) as one,
        whole_run(tmp_path / "two", *SMALL_RUN) as two,
    ):
        for run in (one, two):
            assert run.process.wait(RUN_SECONDS) == 0, run.output
            assert run.result().verdict is Verdict.PASSED


def test_one_passes_while_the_other_is_killed_and_cleaned_away(tmp_path: Path) -> None:
    with (
        whole_run(tmp_path / "killed", *SMALL_RUN) as killed,
        whole_run(tmp_path / "living", *SMALL_RUN) as living,
    ):
        killed.wait_for_checks()
        assert living.process.poll() is None
        killed.send(signal.SIGKILL)

        assert living.process.wait(RUN_SECONDS) == 0, living.output
        assert living.result().verdict is Verdict.PASSED


def test_run_that_begins_while_another_is_cleaned_away_passes(tmp_path: Path) -> None:
    with whole_run(tmp_path / "killed", *SMALL_RUN) as killed:
        killed.wait_for_checks()
        killed.send(signal.SIGKILL)
    with whole_run(tmp_path / "next", *SMALL_RUN) as following:
        assert following.process.wait(RUN_SECONDS) == 0, following.output
    assert not killed.run.folder.exists()
