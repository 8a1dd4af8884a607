"""Whole runs in processes of their own that a test can watch, interrupt and kill."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.home import Home
from harness.lifecycle.run import Run
from harness.machine import CHECKOUT
from harness.result.model import Result
from harness.wait import wait_until
from tests.acceptance_runs import RUN_SECONDS, pytest_command

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping

SMALL = CHECKOUT / "tests/integration/small.yaml"


@dataclass(frozen=True)
class WholeRun:
    """A run that was started with results and a log of its own."""

    process: subprocess.Popen[bytes]
    home: Home
    results: Path
    log: Path

    @property
    def output(self) -> str:
        """What it has printed so far, on both streams."""
        return self.log.read_text("utf-8", "replace")

    @property
    def folder(self) -> Path:
        """The folder of its results."""
        (folder,) = self.results.iterdir()
        return folder

    @property
    def run(self) -> Run:
        """The run as its reaper sees it."""
        return Run(id=self.folder.name, folder=self.home.run(self.folder.name))

    def watchdog(self) -> int:
        """Return the process id of its watchdog."""
        name = self.folder.name.encode()
        (found,) = [
            int(file.parent.name)
            for file in Path("/proc").glob("[0-9]*/cmdline")
            if {b"harness.lifecycle.watchdog", name} <= set(_read(file).split(b"\0"))
        ]
        return found

    def result(self) -> Result:
        """Return the result that it has written."""
        return Result.model_validate_json((self.folder / "results.json").read_bytes())

    def wait_for_entry(self, count: int) -> None:
        """Return the moment that its journal has so many entries."""

        def entries() -> int:
            assert self.process.poll() is None, self.output
            folders = list(self.results.iterdir()) if self.results.exists() else []
            return len(self.run.journal.intents()) if folders else 0

        wait_until(
            entries,
            ready=lambda found: found >= count,
            timeout_seconds=RUN_SECONDS,
            interval_seconds=0.001,
            what=f"entry {count} of the journal",
        )

    def wait_for_checks(self, count: int = 1) -> None:
        """Return when so many checks have ended; those that are left out never began."""

        def ended() -> int:
            assert self.process.poll() is None, self.output
            files = self.results.glob("*/checks.jsonl")
            whole = (line for file in files for line in file.read_text().split("\n")[:-1])
            return sum(json.loads(line)["duration_seconds"] > 0 for line in whole)

        wait_until(
            ended,
            ready=lambda found: found >= count,
            timeout_seconds=RUN_SECONDS,
            what=f"{count} checks to end",
        )

    def send(self, number: signal.Signals) -> int:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        return self.process.wait(RUN_SECONDS)


@contextmanager
def whole_run(
    folder: Path,
    *arguments: str | Path,
    home: Home | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[WholeRun]:
    """Start a run of the suites with its traces below `folder`; killed when the block ends."""
    folder.mkdir(exist_ok=True)
    own = home or Home.locate(os.environ)
    variables = os.environ | {"PULLPROOF_HOME": str(own.root), "PYTHONUNBUFFERED": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            # A shell's background jobs ignore interrupts, and so would what we start.
            [
                "/usr/bin/env",
                "--default-signal=INT",
                *pytest_command(folder / "results", "suites", *arguments),
            ],
            cwd=CHECKOUT,
            env=variables | dict(environment or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield WholeRun(process, own, folder / "results", folder / "log")
    finally:
        process.kill()
        process.wait()


def ended_run(
    folder: Path,
    *arguments: str | Path,
    home: Home | None = None,
    environment: Mapping[str, str] | None = None,
) -> WholeRun:
    """Run the suites to their end."""
    with whole_run(folder, *arguments, home=home, environment=environment) as run:
        run.process.wait(RUN_SECONDS)
        return run


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process has ended
        return b""
