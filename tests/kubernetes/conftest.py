"""One lab on kind for all tests of this folder that do not need a cluster of their own.

The node image is compiled for many minutes once; then the lab takes half a minute.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.engine import open_engine
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.lab import images_of, started_lab
from harness.lifecycle.reap import PRIVATE
from harness.lifecycle.run import new_run_id, started_run
from harness.scenario.load import load
from harness.secret import new_password
from harness.tools import Tool, provide_tool
from tests.acceptance_runs import LAB_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine
    from harness.lab import Lab

NEWEST = Image.KIND_NODE_1_36
NODE_IMAGES = (NEWEST, Image.KIND_NODE_1_35)
SCENARIO = Path(__file__).parent / "scenario.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-versions",
        action="store_true",
        help="try each Kubernetes version that can be built; each is compiled for minutes once",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "node_image" in metafunc.fixturenames:
        chosen = NODE_IMAGES if metafunc.config.getoption("--all-versions") else (NEWEST,)
        metafunc.parametrize("node_image", chosen, scope="module", ids=str)


@pytest.fixture(scope="session")
def home() -> Home:
    return Home.locate(os.environ)


@pytest.fixture(scope="session")
def engine(home: Home) -> Iterator[Engine]:
    with open_engine(home, print, os.environ) as opened:
        yield opened


@pytest.fixture(scope="session")
def lab(home: Home, engine: Engine) -> Iterator[Lab]:
    """A lab of scenario.yaml; whoever breaks it heals it."""
    scenario = load(SCENARIO).scenario
    images = provide_all(images_of(scenario), engine=engine, home=home, announce=print)
    kind, helm = (
        provide_tool(each, home=home, announce=print, environment=os.environ).path
        for each in (Tool.KIND, Tool.HELM)
    )
    with started_run(home, new_run_id(), time_limit_seconds=LAB_SECONDS) as run:
        run.journal.intend("engine", PRIVATE if engine.kind == "private" else engine.url)
        with started_lab(
            scenario,
            engine=engine,
            images=images,
            run=run,
            secret=new_password(),
            kind=kind,
            helm=helm,
        ) as started:
            yield started
