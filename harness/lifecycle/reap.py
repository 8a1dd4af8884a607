"""Removes what a run has left behind, by its label and its journal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cluster.namespaces import remove_namespaces
from harness.engine import open_engine
from harness.engine.blackhole import remove_blackhole
from harness.engine.client import KIND_LABEL
from harness.engine.private import stop_unused
from harness.errors import HarnessError
from harness.kubernetes_api import KubernetesAPI
from harness.lifecycle.run import RUN_LABEL, dead_runs, remove_folder
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.engine import Engine
    from harness.home import Home
    from harness.lifecycle.run import Run

# What stands in a journal for the run's engine: the one below the home, or none as yet; else
# it is the URL of the machine's own.
PRIVATE = "private"
OPENING = "opening"

# How a run reaches a cluster that existed before it: a file's path, and a context in that file.
KUBECONFIG = "kubeconfig"
CONTEXT = "context"

# An engine finishes what a run had asked of it, also when the run is killed meanwhile.
SETTLED_SECONDS = 3.0
# A busy engine takes long to end the nodes of a cluster.
_REMOVAL_SECONDS = 300.0


def reap(
    run: Run,
    home: Home,
    *,
    environment: Mapping[str, str],
    announce: Callable[[str], None],
    settled_seconds: float = 0,
) -> None:
    """Remove containers, networks, volumes, routes, namespaces and files of a run.

    Returns once the engine has brought forth nothing more for `settled_seconds`. The run's
    folder goes last: while it exists, somebody will try again. Twice does no harm.
    """
    engines = run.journal.names("engine")
    if engines and engines[-1] != OPENING:
        with open_engine(home, announce, _pointing_at(engines[-1], environment)) as engine:
            _remove_until_settled(run, engine, settled_seconds)
    elif home.engine.exists():
        stop_unused(home)
    remove_routes(run)
    remove_foreign(run)
    remove_folder(run)


def reap_dead(
    home: Home, *, environment: Mapping[str, str], announce: Callable[[str], None]
) -> None:
    """Reap every run that ended without cleaning and whose watchdog ended with it.

    One that cannot be cleaned away, such as one whose engine is gone, is announced and left.
    """
    for run in dead_runs(home):
        announce(f"removing what run {run.id} left behind")
        try:
            reap(run, home, environment=environment, announce=announce)
        except HarnessError as error:
            announce(f"run {run.id} could not be cleaned away: {error}\n  its folder: {run.folder}")


def ambient_engines(run: Run) -> tuple[str, ...]:
    """Return the URLs of the machine's own engines that a run has used."""
    return tuple(url for url in run.journal.names("engine") if url not in (OPENING, PRIVATE))


def remove_routes(run: Run) -> tuple[str, ...]:
    """Remove a run's routes of last resort; return their subnets. Twice does no harm."""
    subnets = run.journal.names("blackhole")
    for subnet in subnets:
        remove_blackhole(subnet)
    return subnets


def remove_foreign(run: Run) -> None:
    """Remove a run's namespaces from a cluster that existed before it. Twice does no harm.

    Raises HarnessError when the cluster does not answer or does not let go of them.
    """
    for kubeconfig in run.journal.names(KUBECONFIG)[-1:]:
        context = "".join(run.journal.names(CONTEXT)[-1:])
        with KubernetesAPI(Path(kubeconfig), context or None) as api:
            remove_namespaces(api, run.id)


def _remove_until_settled(run: Run, engine: Engine, settled_seconds: float) -> None:
    """Remove what carries the run's label until nothing has turned up for so long."""
    last_found = time.monotonic()

    def left() -> str:
        """Say what keeps us from going; empty when all is gone and has been for long enough."""
        nonlocal last_found
        try:
            nodes = engine.remove_labelled(KIND_LABEL, run.id)
            found = (*nodes, *engine.remove_labelled(RUN_LABEL, run.id))
        except HarnessError as error:  # such as a volume that a container has just begun to use
            last_found = time.monotonic()
            return str(error)
        if found:
            last_found = time.monotonic()
        return "" if time.monotonic() - last_found >= settled_seconds else "it was there just now"

    wait_until(
        left,
        ready=lambda what: not what,
        timeout_seconds=_REMOVAL_SECONDS,
        interval_seconds=0.2,
        what=f"the engine to bring forth nothing more of run {run.id}",
    )


def _pointing_at(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the engine of the journal is the one that is found."""
    rest = {name: value for name, value in environment.items() if name != "DOCKER_HOST"}
    return rest if url == PRIVATE else rest | {"DOCKER_HOST": url}
