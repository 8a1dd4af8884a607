"""A plugin may provide the lab: runs judge it, and leave it as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.acceptance import Diary, Order, acceptance_run
from harness.lifecycle.run import new_run_id
from harness.machine import CHECKOUT
from harness.result.model import Verdict
from harness.scenario.load import load
from harness.secret import new_password
from tests.acceptance_runs import LAB_SECONDS, run_acceptance
from tests.provided_lab import attaching

if TYPE_CHECKING:
    from pathlib import Path

SMALL = CHECKOUT / "tests/integration/small.yaml"
NOTE = "the lab was provided by a plugin, neither built nor taken down by this run"


def test_two_runs_judge_a_lab_that_is_neither_built_nor_taken_down_by_them(tmp_path: Path) -> None:
    order = Order(
        run_id=new_run_id(),
        scenario=load(SMALL).scenario,
        secret=new_password(),
        keep_logs=lambda _: None,
        bundle=None,
        time_limit_seconds=LAB_SECONDS,
    )
    with acceptance_run(order, Diary(print)) as lab:
        attach = attaching(lab, SMALL, tmp_path)
        for workers in ((), ("-n", "2")):
            run = run_acceptance(tmp_path / "results", "suites", *attach, *workers)

            result = run.conclusion()
            assert result.verdict is Verdict.PASSED, run.output
            assert NOTE in result.notes
            assert result.environment.cluster is not None
            assert result.environment.cluster.reason == "a plugin has provided the lab"
            assert result.phases.images is None
            assert lab.primary.api().ping().status == 200
            assert run.folder is not None
            password = lab.handle.secret.reveal().encode()
            assert (run.folder / "logs/nodes/node-1.log").stat().st_size
            kept = [file for file in run.folder.rglob("*") if file.is_file()]
            assert not [file for file in kept if password in file.read_bytes()]
