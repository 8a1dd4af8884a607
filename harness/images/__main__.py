"""Save images for sites without a registry: python -m harness.images FOLDER [IMAGE ...]."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine import open_engine
from harness.errors import HarnessError, ImageError
from harness.home import Home
from harness.images.bundle import save_bundle
from harness.images.model import Image
from harness.images.provide import provide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.engine import Engine
    from harness.images.model import ProvidedImage


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Write a bundle; return the exit status. Without names, of all images that can be had."""
    parser = argparse.ArgumentParser(prog="nox -s bundle --", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the bundle is written")
    parser.add_argument("images", nargs="*", help=f"some of: {', '.join(Image)}")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.images if name not in set(Image)]
    if unknown:
        parser.error(f"no image is called {unknown[0]}; there are {', '.join(Image)}")
    home = Home.locate(environment)
    try:
        with open_engine(home, _say, environment) as engine:
            if chosen.images:
                provided = [_provide(Image(name), engine, home) for name in chosen.images]
            else:
                provided = _all_that_can_be_had(engine, home)
            manifest = save_bundle(provided, into=chosen.folder, client=engine.client)
    except HarnessError as error:
        _say(str(error))
        return 1
    _say(f"{manifest}: {', '.join(image.image for image in provided)}")
    return 0


def _all_that_can_be_had(engine: Engine, home: Home) -> list[ProvidedImage]:
    provided = []
    for image in Image:
        if image.startswith("kind-node"):
            _say(f"left out: {image} is compiled for many minutes; name it to have it saved")
            continue
        try:
            provided.append(_provide(image, engine, home))
        except ImageError as error:
            _say(f"left out: {error.problem}")
    return provided


def _provide(image: Image, engine: Engine, home: Home) -> ProvidedImage:
    return provide(image, engine=engine, home=home, announce=_say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
