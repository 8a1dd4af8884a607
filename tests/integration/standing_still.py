"""A pytest plugin that has a run stand still amid its checks, as long as a test needs it there.

Each process of the run does so at the beginning of its second check, until a file is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.wait import wait_until
from tests.acceptance_runs import RUN_SECONDS

if TYPE_CHECKING:
    import pytest


def standing_still(until: Path) -> tuple[str | Path, ...]:
    """Return the arguments of such a run, which goes on when the file is there."""
    return ("-p", "tests.integration.standing_still", "--stands-still-until", until)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stands-still-until", type=Path, required=True, help="file to wait for")


def pytest_configure(config: pytest.Config) -> None:
    until = config.getoption("--stands-still-until")
    config.pluginmanager.register(_StandingStill(until), "standing-still")


class _StandingStill:
    """The hook of a run that stands still."""

    def __init__(self, until: Path) -> None:
        self._until = until
        self._begun = 0

    def pytest_runtest_call(self) -> None:
        self._begun += 1
        if self._begun == 2:
            wait_until(self._until.exists, timeout_seconds=RUN_SECONDS, what=str(self._until))
