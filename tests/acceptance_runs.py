"""Starts whole acceptance runs as a user would, in processes of their own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import command
from harness.machine import CHECKOUT
from harness.result.model import Result, Status

if TYPE_CHECKING:
    from pathlib import Path

# Longer than any run takes on the slowest machine: it only ends those that hang.
RUN_SECONDS = 1800
# A lab of tests ends with them. At its time limit their own process would be killed.
LAB_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Finished:
    """A run that has ended: its exit code, what it printed, and its result if it wrote one."""

    status: int
    output: str
    folder: Path | None
    result: Result | None

    def conclusion(self) -> Result:
        """Return the result. Fails the test with all output when there is none."""
        assert self.result is not None, self.output
        return self.result

    def unproven(self) -> dict[str, str]:
        """Return every check that was asked for and did not pass, with its code or status.

        Not asked for is what the command line leaves out, and what the scenario waives.
        """
        return {
            check.id: check.code or check.status
            for check in self.conclusion().checks
            if check.status is not Status.PASSED
            and not check.waived
            and check.reason != "the command line leaves it out"
        }


def pytest_command(results: Path, *arguments: str | Path) -> list[str]:
    """Return the command line of a run that writes its results below `results`."""
    own = ("--results", results, "-p", "no:cacheprovider")
    return [sys.executable, "-m", "pytest", *map(str, (*own, *arguments))]


def run_acceptance(results: Path, *arguments: str | Path) -> Finished:
    """Run the suites to their end."""
    done = command.run(
        pytest_command(results, *arguments),
        timeout_seconds=RUN_SECONDS,
        directory=CHECKOUT,
        check=False,
    )
    folders = sorted(results.iterdir()) if results.exists() else []
    folder = folders[-1] if folders else None
    document = folder / "results.json" if folder else None
    result = (
        Result.model_validate_json(document.read_bytes())
        if document and document.exists()
        else None
    )
    return Finished(done.status, done.text + done.stderr, folder, result)
