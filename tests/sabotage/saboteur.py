"""A pytest plugin that breaks a real lab, once it is ready or at each push.

Loaded only into the runs that tests of this folder start, with `--sabotage` and a case's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published


def _leave_alone(*_: object) -> None:
    """Break nothing."""


@dataclass(frozen=True)
class Sabotage:
    """How a lab is broken: when it is ready, whenever a check has pushed an image, and so on."""

    lab_started: Callable[[Lab], None] = _leave_alone
    published: Callable[[Lab, Published], None] = _leave_alone
    version_started: Callable[[Lab, Registry], None] = _leave_alone


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sabotage", required=True, help="the name of a case")


def pytest_configure(config: pytest.Config) -> None:
    # Only here: the list of cases imports this module for their kind.
    from tests.sabotage.test_checks_can_fail import CASES  # noqa: PLC0415

    case = CASES[config.getoption("--sabotage")]
    config.pluginmanager.register(Saboteur(case.sabotage), "saboteur")


class Saboteur:
    """The hooks of a run that break its lab."""

    def __init__(self, sabotage: Sabotage) -> None:
        self._sabotage = sabotage

    def pytest_pullproof_lab_started(self, lab: Lab) -> None:
        self._sabotage.lab_started(lab)

    def pytest_pullproof_published(self, lab: Lab, published: Published) -> None:
        self._sabotage.published(lab, published)

    def pytest_pullproof_version_started(self, lab: Lab, registry: Registry) -> None:
        self._sabotage.version_started(lab, registry)
