"""Removes what a run has left behind, by its label and its journal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from harness.engine import open_engine
from harness.engine.blackhole import remove_blackhole
from harness.lifecycle.run import RUN_LABEL, dead_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.home import Home
    from harness.lifecycle.run import Run


def reap(
    run: Run, home: Home, *, environment: Mapping[str, str], announce: Callable[[str], None]
) -> None:
    """Remove containers, networks, volumes, routes and files of a run; twice does no harm.

    The run's folder goes last: while it exists, somebody will try again.
    """
    engines = run.journal.names("engine")
    if engines:
        with open_engine(home, announce, _pointing_at(engines[-1], environment)) as engine:
            engine.remove_labelled(RUN_LABEL, run.id)
    for subnet in run.journal.names("blackhole"):
        remove_blackhole(subnet)
    shutil.rmtree(run.folder, ignore_errors=True)


def reap_dead(
    home: Home, *, environment: Mapping[str, str], announce: Callable[[str], None]
) -> None:
    """Reap every run that ended without cleaning and whose watchdog ended with it."""
    for run in dead_runs(home):
        announce(f"removing what run {run.id} left behind")
        reap(run, home, environment=environment, announce=announce)


def _pointing_at(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the engine of the journal is the one that is found."""
    rest = {name: value for name, value in environment.items() if name != "DOCKER_HOST"}
    return rest if url == "private" else rest | {"DOCKER_HOST": url}
