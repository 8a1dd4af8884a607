"""One lab for many acceptance runs: what starts it, and the plugin by which runs use it."""

from __future__ import annotations

import os
import pickle
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.acceptance import Diary, Order, acceptance_run
from harness.engine import open_engine
from harness.home import Home
from harness.lab import attached_lab
from harness.lifecycle.run import new_run_id
from harness.scenario.load import load
from harness.secret import new_password

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import pytest

    from harness.lab import Lab
    from harness.scenario.model import Scenario

LAB_SECONDS = 1800


@dataclass(frozen=True)
class SharedLab:
    """A lab, and the arguments by which an acceptance run uses it."""

    lab: Lab
    arguments: tuple[str | Path, ...]


@contextmanager
def lab_for_runs(scenario: Path, folder: Path) -> Iterator[SharedLab]:
    """Start the lab of a scenario; `folder` gets a file that only we may read: it has passwords."""
    order = Order(
        run_id=new_run_id(),
        scenario=load(scenario).scenario,
        secret=new_password(),
        keep_logs=lambda _: None,
        bundle=None,
        time_limit_seconds=LAB_SECONDS,
    )
    with acceptance_run(order, Diary(print)) as lab:
        file = folder / "lab.pickle"
        file.touch(mode=0o600)
        file.write_bytes(pickle.dumps(lab.handle))
        own = ("--scenario", scenario, "-p", "tests.provided_lab", "--attach", file)
        yield SharedLab(lab, own)


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
