from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.home import Home
from harness.lifecycle.run import Run, dead_runs, living_runs, new_run_id, started_run
from harness.lifecycle.watchdog import main as watch
from harness.lifecycle.watchdog import outlive
from harness.machine import CHECKOUT
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

DIES_IN_A_RUN = """
import os, signal, sys
from pathlib import Path
from harness.home import Home
from harness.lifecycle.run import started_run
with started_run(Home(Path(sys.argv[1])), 'killed', time_limit_seconds=60) as run:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_run_ids_sort_by_time_and_differ_within_a_second() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first, second = new_run_id(now), new_run_id(now)
    assert first.startswith("20260102t030405-")
    assert first != second


def test_living_run_is_not_dead_and_leaves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with started_run(home, new_run_id(), time_limit_seconds=60) as run:
        assert run.folder.is_dir()
        assert run.labels == {"pullproof.run": run.id}
        assert dead_runs(home) == ()
        assert living_runs(home) == (run,)
    assert not run.folder.exists()


def test_folder_stays_for_the_watchdog_when_a_run_ends_in_an_error(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with (
        pytest.raises(ZeroDivisionError),
        started_run(home, new_run_id(), time_limit_seconds=60) as run,
    ):
        raise ZeroDivisionError
    assert [dead.id for dead in dead_runs(home)] == [run.id]


def test_folder_without_an_owner_is_a_dead_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run("orphan").mkdir(parents=True)
    assert [dead.id for dead in dead_runs(home)] == ["orphan"]
    assert living_runs(home) == ()


def test_no_runs_are_dead_in_a_home_that_does_not_exist(tmp_path: Path) -> None:
    assert dead_runs(Home(tmp_path / "missing")) == ()


def test_run_that_begins_or_ends_is_never_taken_for_dead(tmp_path: Path) -> None:
    home = Home(tmp_path)
    found: list[Run] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            found.extend(dead_runs(home))

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(30):
        with started_run(home, f"run-{number}", time_limit_seconds=60):
            pass
    over.set()
    looking.join()
    assert found == []
    assert list(home.runs.iterdir()) == []


def test_watchdog_removes_the_folder_of_a_killed_run(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIES_IN_A_RUN, str(tmp_path)]
    killed = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert killed.returncode == -9
    folder = Home(tmp_path).run("killed")
    wait_until(lambda: not folder.exists(), timeout_seconds=30, what="the watchdog")


def test_process_that_outstays_its_time_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        outlive(process.pid, time_limit_seconds=0.05, lives=lambda: True)
        assert process.wait(30) == -9


@contextmanager
def process_that_goes_on() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process


def test_process_whose_run_has_ended_is_not_killed() -> None:
    with process_that_goes_on() as process:
        outlive(process.pid, time_limit_seconds=0, lives=lambda: False)
        assert process.poll() is None


def test_watchdog_reaps_a_failed_run_whose_process_goes_on(tmp_path: Path) -> None:
    folder = Home(tmp_path).run("failed")
    folder.mkdir(parents=True)  # a run that has failed holds its lock no more
    with process_that_goes_on() as process:
        watch(str(tmp_path), "failed", str(process.pid), time_limit_seconds="0")
        assert process.poll() is None
    assert not folder.exists()


def test_process_that_has_ended_is_not_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(30)
    outlive(process.pid, time_limit_seconds=60, lives=lambda: True)
