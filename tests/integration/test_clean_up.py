"""However a run ends, nothing of it stays on the machine."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from harness.engine.private import private_engine
from harness.lifecycle.run import RUN_LABEL
from harness.result.model import Verdict
from harness.wait import wait_until
from tests.acceptance_runs import RUN_SECONDS
from tests.integration.private_home import needs_private_engine
from tests.integration.slow_engine import SlowEngine
from tests.integration.standing_still import standing_still
from tests.integration.traces import traces
from tests.integration.whole_runs import SMALL, WholeRun, ended_run, whole_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine import Engine
    from harness.home import Home

pytestmark = needs_private_engine

PROMISED_SECONDS = 30
# What a run of small.yaml is about to create, in order.
ENTRIES = ("engine", "engine", "network", "blackhole", "container", "cluster")


@pytest.fixture(scope="module")
def engine(own_home: Home) -> Iterator[Engine]:
    """The engine of the runs: held by the tests, so that it outlives each of them."""
    with private_engine(own_home, print) as engine:
        yield engine


@pytest.fixture
def arguments(bundle: Path) -> tuple[str | Path, ...]:
    return ("--scenario", SMALL, "--bundle", bundle)


@pytest.fixture(autouse=True)
def nothing_is_left(own_home: Home, engine: Engine) -> Iterator[None]:
    """Compare what there is before and after each test."""
    before = traces(own_home, engine)
    yield
    wait_until(
        lambda: sorted(traces(own_home, engine) ^ before),
        ready=lambda left: not left,
        timeout_seconds=PROMISED_SECONDS,
        what="everything to be as it was before the run",
    )


def test_run_that_ends_by_itself(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    run = ended_run(tmp_path, *arguments, home=own_home)

    assert run.process.returncode == 0, run.output


@pytest.mark.parametrize("entry", range(1, len(ENTRIES) + 1))
def test_run_that_is_killed_at_an_entry_of_its_journal(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path, entry: int
) -> None:
    with whole_run(tmp_path, *arguments, home=own_home) as run:
        run.wait_for_entry(entry)

        assert run.send(signal.SIGKILL) == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_run_that_is_killed_amid_its_checks(
    own_home: Home,
    engine: Engine,
    arguments: tuple[str | Path, ...],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    before = traces(own_home, engine)
    amid = standing_still(tmp_path / "never")
    with whole_run(tmp_path / "run", *arguments, *amid, home=own_home) as run:
        run.wait_for_checks()
        created = {line.split()[0] for line in traces(own_home, engine) - before}
        kinds = tuple(intent.kind for intent in run.run.journal.intents())

        assert run.send(number) == -number

    assert kinds == ENTRIES
    assert created == {
        *("container", "network", "volume", "link", "route", "mount", "file", "process")
    }


def test_run_that_is_killed_while_it_cleans(
    own_home: Home, engine: Engine, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    docker, kind = own_home.engine / "docker.sock", "DELETE /networks/"
    with SlowEngine(own_home.engine / "slow.sock", docker, kind) as slow:
        variables = {"DOCKER_HOST": slow.url}
        with whole_run(tmp_path, *arguments, home=own_home, environment=variables) as run:
            run.wait_for_checks()
            assert slow.held.wait(RUN_SECONDS), run.output
            left = [line.split()[0] for line in engine.labelled(RUN_LABEL, run.run.id)]

            assert run.send(signal.SIGKILL) == -signal.SIGKILL

        wait_until_cleaned(run)
    assert left == ["network"]


def test_run_that_outstays_its_time(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    amid = standing_still(tmp_path / "never")
    run = ended_run(tmp_path / "run", *arguments, *amid, "--time-limit", "1", home=own_home)

    assert run.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["lab", "checks"])
def test_run_that_is_interrupted_tells_so(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path, moment: str
) -> None:
    amid = standing_still(tmp_path / "never")
    with whole_run(tmp_path / "run", *arguments, *amid, home=own_home) as run:
        if moment == "lab":
            run.wait_for_entry(len(ENTRIES))
        else:
            run.wait_for_checks()

        assert run.send(signal.SIGINT) == 2, run.output
        assert run.result().verdict is Verdict.INTERRUPTED
        assert run.result().exit_code == 2


def test_run_with_workers_that_is_interrupted_from_the_keyboard_tells_so(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    amid = standing_still(tmp_path / "never")
    with whole_run(tmp_path / "run", *arguments, *amid, "-n", "2", home=own_home) as run:
        run.wait_for_checks()
        os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does: to all of them

        assert run.process.wait(PROMISED_SECONDS) == 2, run.output
        assert run.result().verdict is Verdict.INTERRUPTED


@pytest.mark.parametrize("kind", ["networks", "volumes", "containers"])
def test_run_that_is_killed_while_the_engine_creates_what_it_asked_for(
    own_home: Home, arguments: tuple[str | Path, ...], tmp_path: Path, kind: str
) -> None:
    docker, request = own_home.engine / "docker.sock", f"POST /{kind}/create"
    with SlowEngine(own_home.engine / "slow.sock", docker, request) as slow:
        variables = {"DOCKER_HOST": slow.url}
        with whole_run(tmp_path, *arguments, home=own_home, environment=variables) as run:
            assert slow.held.wait(RUN_SECONDS), run.output
            slow.listings = 0
            run.send(signal.SIGKILL)

        wait_until(
            lambda: slow.listings,
            ready=lambda count: count > 2,
            timeout_seconds=PROMISED_SECONDS,
            what="the watchdog to look a second time",
        )
        slow.release.set()
        assert slow.answered.wait(PROMISED_SECONDS)
        wait_until_cleaned(run)


def wait_until_cleaned(run: WholeRun) -> None:
    """Return when the watchdog has removed all that a run has left."""
    wait_until(
        lambda: not run.run.folder.exists(),
        timeout_seconds=PROMISED_SECONDS,
        what="the watchdog to have cleaned",
    )
