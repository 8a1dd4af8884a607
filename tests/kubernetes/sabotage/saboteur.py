"""A pytest plugin of runs whose images are tampered with as soon as they are pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from harness.lab import Lab
    from harness.workload import Published
    from tests.kubernetes.sabotage.case import Case


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sabotage", required=True, help="the name of a case")


def pytest_configure(config: pytest.Config) -> None:
    # Only here: the list of cases imports this module's neighbours.
    from tests.kubernetes.sabotage.cases import CASES  # noqa: PLC0415

    case = CASES[config.getoption("--sabotage")]
    config.pluginmanager.register(Saboteur(case), "saboteur")


class Saboteur:
    """The hook of a run that tampers with its images."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def pytest_pullproof_published(self, lab: Lab, published: Published) -> None:
        self._case.published(lab, published)
