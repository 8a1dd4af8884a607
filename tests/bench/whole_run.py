"""What a whole acceptance run costs beside the time that its parts take."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import command
from harness.machine import CHECKOUT
from tests.acceptance_runs import pytest_command, run_acceptance
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.result.model import Result

CPU_GOAL = 0.05
WALL_GOAL = 1.25
SUITES = ("suites", "--scenario", "scenarios/smoke.yaml")


@dataclass(frozen=True)
class Cost:
    """What a process and all that it waited for took: wall and processor seconds."""

    wall: float
    cpu: float


def measure_whole_run(announce: Callable[[str], None]) -> list[Figure]:
    """Run the smoke scenario as a user would; the lab's own processes are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        announce("collecting the suites")
        start = _cost_of(lambda: _collect(results))
        announce("running the smoke scenario")
        finished: list[Result] = []
        run = _cost_of(lambda: finished.append(run_acceptance(results, *SUITES).conclusion()))
    result = finished[0]
    announce(f"smoke: {result.verdict}, {result.counts.passed} checks passed")
    return figures(result, start, run)


def figures(result: Result, start: Cost, run: Cost) -> list[Figure]:
    """Return what a run shows whose start alone costs `start`."""
    phases = sum(seconds or 0 for seconds in result.phases.model_dump().values())
    checks = sum(check.duration_seconds for check in result.checks)
    in_checks = result.phases.checks or 0
    return [
        Figure(
            "processor / wall of a whole run",
            run.cpu / run.wall,
            "ratio",
            goal_max=CPU_GOAL,
            note=f"{run.cpu:.2f} s of {run.wall:.2f} s",
        ),
        Figure(
            "the same without its start",
            (run.cpu - start.cpu) / run.wall,
            "ratio",
            note=f"starting Python and collecting take {start.cpu:.2f} s",
        ),
        Figure(
            "whole run / sum of its phases",
            run.wall / phases,
            "ratio",
            goal_max=WALL_GOAL,
            note=f"{run.wall:.2f} s, phases {phases:.2f} s",
        ),
        Figure(
            "checks phase / sum of its checks",
            in_checks / checks,
            "ratio",
            note=f"{in_checks:.2f} s, checks {checks:.2f} s",
        ),
    ]


def _collect(results: Path) -> None:
    command.run(
        pytest_command(results, *SUITES, "--collect-only", "-q"),
        timeout_seconds=120,
        directory=CHECKOUT,
    )


def _cost_of(action: Callable[[], None]) -> Cost:
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    action()
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
