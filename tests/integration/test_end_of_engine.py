"""The private engine ends with its last run, also when that is killed; nobody else holds it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from harness.engine.daemon import Daemon
from harness.wait import wait_until
from tests.integration.private_home import needs_private_engine
from tests.integration.standing_still import standing_still
from tests.integration.traces import traces
from tests.integration.whole_runs import SMALL, ended_run, whole_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.home import Home

pytestmark = needs_private_engine

PROMISED_SECONDS = 30
AT_LAB = 5


@pytest.fixture
def arguments(bundle: Path) -> tuple[str | Path, ...]:
    return ("--scenario", SMALL, "--bundle", bundle)


@pytest.fixture(autouse=True)
def nothing_is_left(own_home: Home) -> Iterator[None]:
    before = traces(own_home)
    yield
    wait_until(
        lambda: sorted(traces(own_home) ^ before),
        ready=lambda left: not left,
        timeout_seconds=PROMISED_SECONDS,
        what="everything to be as it was before the run",
    )
    assert not Daemon(own_home.engine).runs()


@pytest.mark.parametrize("entry", [1, 2, AT_LAB])
def test_killed_run_takes_the_engine_with_it(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path, entry: int
) -> None:
    with whole_run(tmp_path, *arguments, home=own_home) as run:
        run.wait_for_entry(entry)

        assert run.send(signal.SIGKILL) == -signal.SIGKILL


def test_killed_run_with_workers_takes_them_and_the_engine_with_it(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    amid = standing_still(tmp_path / "never")
    with whole_run(tmp_path / "run", *arguments, *amid, "-n", "2", home=own_home) as run:
        run.wait_for_checks()

        assert run.send(signal.SIGKILL) == -signal.SIGKILL


def test_run_that_is_killed_with_its_watchdog_is_cleaned_away_by_the_next(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    amid = standing_still(tmp_path / "never")
    with whole_run(tmp_path / "killed", *arguments, *amid, home=own_home) as run:
        run.wait_for_checks()
        os.kill(run.watchdog(), signal.SIGKILL)
        assert run.send(signal.SIGKILL) == -signal.SIGKILL
        dead = run.run

    assert dead.folder.exists()
    following = ended_run(tmp_path / "next", *arguments, home=own_home)

    assert following.process.returncode == 0, following.output
    assert f"removing what run {dead.id} left behind" in following.output
