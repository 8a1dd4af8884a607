"""A pytest plugin that ends the process, without a word, in the check that is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dies-in", required=True, help="part of a check's name")


def pytest_runtest_call(item: pytest.Item) -> None:
    if item.config.getoption("--dies-in") in item.name:
        os._exit(1)
