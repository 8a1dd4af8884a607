"""Removes everything that the project ever put on this machine outside its checkout."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from harness.engine.ambient import find_ambient
from harness.engine.private import stop_unused
from harness.errors import EngineError, HarnessError
from harness.home import Home
from harness.images import store
from harness.images.kind_node import ASSEMBLY_LABEL
from harness.lifecycle.reap import ambient_engines, remove_foreign, remove_routes
from harness.lifecycle.run import RUN_LABEL, dead_runs, living_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.engine import Engine
    from harness.lifecycle.run import Run


def clean(home: Home, environment: Mapping[str, str], announce: Callable[[str], None]) -> None:
    """Remove the private engine, what is ours in the machine's own, and the home.

    In the machine's own engine that includes what runs of other homes have there. Announces
    what was removed, one line each; twice does no harm. Raises EngineError, before anything
    was removed, while a run of this home lives or somebody uses its private engine.
    """
    _end_private_engine(home)
    dead = dead_runs(home)
    ambient = find_ambient(environment)
    if ambient is not None:
        _clean_engine(ambient, announce)
    for url in sorted({url for run in dead for url in ambient_engines(run)}):
        _clean_former_engine(url, environment, announce)
    for run in dead:
        _clean_foreign(run, announce)
        for subnet in remove_routes(run):
            announce(f"removed the route of last resort for {subnet}")
    _remove_home(home, announce)


def _end_private_engine(home: Home) -> None:
    living = living_runs(home)
    if living:
        raise EngineError(
            f"run {living[0].id} is alive",
            remedy="wait for its end or end it, then clean again",
        )
    if home.engine.exists() and not stop_unused(home):
        raise EngineError(
            f"somebody is using the engine below {home.engine}",
            remedy="end whatever uses it, such as a run or its watchdog, then clean again",
        )


def _clean_former_engine(
    url: str, environment: Mapping[str, str], announce: Callable[[str], None]
) -> None:
    """Clean an engine that a dead run has used; one that is gone must not keep the rest."""
    try:
        engine = find_ambient({**environment, "DOCKER_HOST": url})
    except EngineError as error:
        announce(f"kept what a run may have left in the engine at {url}: {error.problem}")
        return
    if engine is not None:
        _clean_engine(engine, announce)


def _clean_foreign(run: Run, announce: Callable[[str], None]) -> None:
    """Remove a dead run's namespaces; a cluster that is gone must not keep the rest."""
    try:
        remove_foreign(run)
    except HarnessError as error:
        announce(f"kept what run {run.id} may have left in its cluster: {error.problem}")


def _clean_engine(engine: Engine, announce: Callable[[str], None]) -> None:
    """Remove what runs have left, and our names of images: an image goes with its last name."""
    try:
        for label in (RUN_LABEL, ASSEMBLY_LABEL):
            for thing in engine.remove_of_all_runs(label):
                announce(f"removed {thing}")
        for name in store.own_names(engine.client):
            store.drop(engine.client, name)
            announce(f"removed image {name}")
    finally:
        engine.client.close()


def _remove_home(home: Home, announce: Callable[[str], None]) -> None:
    """Remove our folders, and the home unless it holds what is not ours."""
    ours = (home.packages, home.engine, home.images, home.go, home.tools, home.runs)
    for folder in ours:
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
        else:
            continue
        announce(f"removed {folder}")
    if not home.root.exists():
        return
    others = sorted(path.name for path in home.root.iterdir())
    if others or home.root.is_symlink():
        announce(f"kept {home.root}, which is not only ours: {', '.join(others) or 'a link'}")
    else:
        home.root.rmdir()
        announce(f"removed {home.root}")


def main() -> int:
    """Clean the user's home and the machine's engine, and say what was removed."""
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        clean(Home.locate(os.environ), os.environ, tell)
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not told:
        tell("nothing to remove")
    return 0


if __name__ == "__main__":
    sys.exit(main())
