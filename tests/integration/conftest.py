"""A home that whole runs have for themselves, so that all they leave behind is theirs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.engine import open_engine
from harness.engine.ambient import find_ambient
from harness.engine.private import private_engine
from harness.home import Home
from harness.images.bundle import save_bundle
from harness.images.provide import provide_all
from harness.lab import images_of
from harness.scenario.load import load
from tests.integration.namespace import own_network_namespace
from tests.integration.private_home import copy_programs, private_home
from tests.integration.whole_runs import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of small.yaml, from the user's own engine."""
    folder = tmp_path_factory.mktemp("bundle")
    home = Home.locate(os.environ)
    with open_engine(home, print, os.environ) as engine:
        images = provide_all(
            images_of(load(SMALL).scenario), engine=engine, home=home, announce=print
        )
        save_bundle(list(images.values()), into=folder, client=engine.client)
    return folder


@pytest.fixture(scope="session")
def furnished_home(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose engine has the bundle's images; its path is short enough for sockets."""
    ambient = find_ambient(os.environ)
    if ambient is not None:
        ambient.client.close()
        pytest.skip("the machine has an engine that runs would use instead of a private one")
    home = private_home(tmp_path_factory.mktemp("f"))
    copy_programs(private_home(), home)
    scenario = load(SMALL).scenario
    with own_network_namespace(), private_engine(home, print) as engine:
        provide_all(images_of(scenario), engine=engine, home=home, announce=print, bundle=bundle)
    return home


@pytest.fixture(scope="module")
def own_home(furnished_home: Home) -> Iterator[Home]:
    """The furnished home, in a network that nobody else changes; its engine does not run."""
    with own_network_namespace():
        yield furnished_home
