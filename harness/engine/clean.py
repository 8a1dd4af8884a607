"""Removes everything that the project ever put on this machine outside its checkout."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from harness.engine.ambient import find_ambient
from harness.engine.errors import reported
from harness.engine.private import stop_unused
from harness.errors import EngineError, HarnessError
from harness.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine.client import Engine

RUN_LABEL = "pullproof.run"
IMAGE_LABEL = "pullproof.image"


def clean(home: Home, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Remove what is labelled in the machine's own engine, the private engine, and the home.

    Returns what was removed, one line each. Twice does no harm. Raises EngineError while a
    run uses the private engine.
    """
    removed: list[str] = []
    ambient = find_ambient(environment)
    if ambient is not None:
        try:
            removed += ambient.remove_of_all_runs(RUN_LABEL)
            removed += _remove_images(ambient)
        finally:
            ambient.client.close()
    if home.engine.exists() and not stop_unused(home):
        raise EngineError(
            f"a run is using the engine below {home.engine}",
            remedy="end that run, then clean again",
        )
    if home.root.exists():
        shutil.rmtree(home.root)
        removed.append(f"folder {home.root}")
    return tuple(removed)


def _remove_images(engine: Engine) -> list[str]:
    removed = []
    with reported("cannot remove images"):
        for image in engine.client.images.list(filters={"label": IMAGE_LABEL}):
            engine.client.images.remove(str(image.id), force=True)
            removed.append(f"image {image.tags[0] if image.tags else image.id}")
    return removed


def main() -> int:
    """Clean the default home and the machine's engine, and say what was removed."""
    try:
        removed = clean(Home.locate(os.environ), os.environ)
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"removed {line}\n" for line in removed) or "nothing to remove\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
