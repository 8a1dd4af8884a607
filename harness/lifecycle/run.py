"""A run's folder: who it is, whether it lives, and who cleans after it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness import command
from harness.lifecycle.journal import journal_in
from harness.machine import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.home import Home
    from harness.lifecycle.journal import Journal

RUN_LABEL = "pullproof.run"


@dataclass(frozen=True)
class Run:
    """One run: its id, its folder below the home and its journal."""

    id: str
    folder: Path

    @property
    def journal(self) -> Journal:
        """What this run has created or was about to."""
        return journal_in(self.folder)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that this run creates in an engine."""
        return {RUN_LABEL: self.id}


def new_run_id(now: datetime | None = None) -> str:
    """Return an id that sorts by time and that two runs of one second do not share."""
    return f"{now or datetime.now(UTC):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"


@contextmanager
def started_run(home: Home, run_id: str, *, time_limit_seconds: float) -> Iterator[Run]:
    """Begin a run that holds its own lock, with a watchdog that outlives it.

    The folder is removed only when the block ends without an error, which tells the watchdog
    that all was cleaned; otherwise the watchdog cleans once more.
    """
    run = Run(id=run_id, folder=home.run(run_id))
    home.runs.mkdir(parents=True, exist_ok=True)
    with _entrance(home.runs):
        run.folder.mkdir(mode=0o700)
        alive = FileLock(run.folder / "alive.lock").acquire()
    with alive:
        command.detach(
            [
                *(sys.executable, "-m", "harness.lifecycle.watchdog"),
                *(str(home.root), run.id, str(os.getpid()), str(time_limit_seconds)),
            ],
            log=run.folder / "watchdog.log",
            directory=CHECKOUT,
        )
        yield run
        remove_folder(run)


def remove_folder(run: Run) -> None:
    """Remove a run's folder, and with it the run; twice does no harm."""
    with _entrance(run.folder.parent):
        shutil.rmtree(run.folder, ignore_errors=True)


def dead_runs(home: Home) -> tuple[Run, ...]:
    """Return runs that have left their folder behind without living any more."""
    return tuple(run for run, lives in _runs(home) if not lives)


def living_runs(home: Home) -> tuple[Run, ...]:
    """Return runs whose process is still there."""
    return tuple(run for run, lives in _runs(home) if lives)


def _runs(home: Home) -> list[tuple[Run, bool]]:
    """Return all runs that have a folder, and whether each of them lives."""
    if not home.runs.exists():
        return []
    with _entrance(home.runs):
        runs = [Run(id=folder.name, folder=folder) for folder in sorted(home.runs.iterdir())]
        return [(run, _lives(run)) for run in runs]


@contextmanager
def _entrance(runs: Path) -> Iterator[None]:
    """Let one at a time begin or end a run or look for runs.

    Else a run whose folder is there before its lock would be taken for a dead one.
    """
    folder = os.open(runs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _lives(run: Run) -> bool:
    lock = FileLock(run.folder / "alive.lock")
    try:
        with lock.acquire(blocking=False):
            return False
    except (Timeout, FileNotFoundError):
        return True
