"""A plugin may provide the lab: runs judge it, and leave it as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.machine import CHECKOUT
from harness.result.model import Verdict
from tests.acceptance_runs import run_acceptance
from tests.provided_lab import lab_for_runs

if TYPE_CHECKING:
    from pathlib import Path

SMALL = CHECKOUT / "tests/integration/small.yaml"
NOTE = "the lab was provided by a plugin, neither built nor taken down by this run"


def test_two_runs_judge_a_lab_that_is_neither_built_nor_taken_down_by_them(tmp_path: Path) -> None:
    with lab_for_runs(SMALL, tmp_path) as shared:
        for workers in ((), ("-n", "2")):
            run = run_acceptance(tmp_path / "results", "suites", *shared.arguments, *workers)

            result = run.conclusion()
            assert result.verdict is Verdict.PASSED, run.output
            assert NOTE in result.notes
            assert result.environment.cluster is not None
            assert result.environment.cluster.reason == "a plugin has provided the lab"
            assert result.phases.images is None
            assert shared.lab.primary.api().ping().status == 200
            assert run.folder is not None
            password = shared.lab.handle.secret.reveal().encode()
            assert (run.folder / "logs/nodes/node-1.log").stat().st_size
            kept = [file for file in run.folder.rglob("*") if file.is_file()]
            assert not [file for file in kept if password in file.read_bytes()]
