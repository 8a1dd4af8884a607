"""Finds or makes the container engine that a run uses."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.engine.ambient import find_ambient
from harness.engine.private import private_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.engine.client import Engine
    from harness.home import Home


@contextmanager
def open_engine(
    home: Home, announce: Callable[[str], None], environment: Mapping[str, str]
) -> Iterator[Engine]:
    """Use the machine's Docker engine (23 or newer), else a private one below the home.

    Raises EngineError, whose remedy names what to install, where neither is possible.
    """
    ambient = find_ambient(environment)
    if ambient is not None:
        try:
            yield ambient
        finally:
            ambient.client.close()
        return
    with private_engine(home, announce) as engine:
        yield engine
