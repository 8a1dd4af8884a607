"""One lab for many acceptance runs: the plugin by which they use it, and its arguments."""

from __future__ import annotations

import os
import pickle
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine import open_engine
from harness.home import Home
from harness.lab import attached_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import pytest

    from harness.lab import Lab
    from harness.scenario.model import Scenario


def attaching(lab: Lab, scenario: Path, folder: Path) -> tuple[str | Path, ...]:
    """Return the arguments by which an acceptance run uses a lab of ours, made of this scenario.

    `folder` gets a file that only we may read: the handle of a lab holds its passwords.
    """
    file = folder / "lab.pickle"
    file.touch(mode=0o600)
    file.write_bytes(pickle.dumps(lab.handle))
    return ("--scenario", scenario, "-p", "tests.provided_lab", "--attach", file)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attach", type=Path, required=True, help="file with the handle of a lab")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Provider(config.getoption("--attach")), "lab-provider")


class _Provider:
    """The hook of a run that uses a lab of somebody else."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_pullproof_lab(self, scenario: Scenario) -> AbstractContextManager[Lab]:
        return _attached(self._file, scenario)


@contextmanager
def _attached(file: Path, scenario: Scenario) -> Iterator[Lab]:
    handle = pickle.loads(file.read_bytes())  # noqa: S301 - written by ourselves, for us only
    with (
        open_engine(Home.locate(os.environ), lambda _: None, os.environ) as engine,
        attached_lab(handle, scenario, engine) as lab,
    ):
        yield lab
