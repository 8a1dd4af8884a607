from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness.engine import open_engine
from harness.home import Home
from harness.images import store
from harness.images.reach import Reach, remember
from harness.images.recipe import RECIPES
from tests.integration.images.parts import one_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that remembers nothing but the packages of the user's own one."""
    own = Home.locate(os.environ)
    own.packages.mkdir(parents=True, exist_ok=True)
    (tmp_path / "packages").symlink_to(own.packages)
    return Home(tmp_path)


@pytest.fixture
def offline(home: Home) -> Home:
    """A home that remembers that nothing published can be reached."""
    home.images.mkdir()
    remember(Reach(answers=False, why="cable is cut", checked=time.time()), home.images)
    return home


@pytest.fixture
def scrap(engine: Engine) -> Iterator[str]:
    """The name of an image that can be found nowhere else, and that is removed."""
    repository = f"pullproof/test-{uuid4().hex[:12]}"
    store.import_file_system(
        engine.client,
        iter([one_file(repository.encode())]),
        repository=repository,
        tag="x",
        changes=["LABEL pullproof.test=1"],
    )
    yield repository
    store.drop(engine.client, f"{repository}:x")


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """Recipes whose images nobody else has: a unique folder is in each that is built."""
    folder = shutil.copytree(RECIPES, tmp_path / "recipes")
    for file in folder.glob("*.toml"):
        text = file.read_text("utf-8")
        file.write_text(text.replace("directories = [", f'directories = ["/{uuid4().hex}",'))
    return folder
