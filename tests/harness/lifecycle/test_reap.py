from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import EngineError
from harness.home import Home
from harness.lifecycle.reap import OPENING, PRIVATE, ambient_engines, reap, reap_dead
from harness.lifecycle.run import Run

if TYPE_CHECKING:
    from pathlib import Path

NO_ENGINE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(id="dead", folder=Home(tmp_path).run("dead"))
    run.folder.mkdir(parents=True)
    return run


def test_run_that_created_nothing_leaves_only_its_folder(run: Run, tmp_path: Path) -> None:
    reap(run, Home(tmp_path), environment={}, announce=print)
    reap(run, Home(tmp_path), environment={}, announce=print)

    assert not run.folder.exists()


def test_run_is_reaped_in_the_engine_that_its_journal_names(run: Run, tmp_path: Path) -> None:
    run.journal.intend("engine", OPENING)
    run.journal.intend("engine", NO_ENGINE)

    with pytest.raises(EngineError, match=NO_ENGINE):
        reap(run, Home(tmp_path), environment={"DOCKER_HOST": "unix:///other"}, announce=print)

    assert run.folder.exists()


def test_run_that_died_while_opening_an_engine_needs_none_to_be_reaped(
    run: Run, tmp_path: Path
) -> None:
    run.journal.intend("engine", OPENING)

    reap(run, Home(tmp_path), environment={"DOCKER_HOST": NO_ENGINE}, announce=print)

    assert not run.folder.exists()


def test_dead_run_that_cannot_be_cleaned_away_is_told_and_keeps_nobody_from_running(
    run: Run, tmp_path: Path
) -> None:
    run.journal.intend("engine", NO_ENGINE)
    told: list[str] = []

    reap_dead(Home(tmp_path), environment={}, announce=told.append)

    assert NO_ENGINE in told[-1]
    assert str(run.folder) in told[-1]


def test_engines_outside_the_home_are_named(run: Run) -> None:
    for engine in (OPENING, PRIVATE, NO_ENGINE):
        run.journal.intend("engine", engine)

    assert ambient_engines(run) == (NO_ENGINE,)
