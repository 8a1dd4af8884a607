"""Turns the Docker SDK's exceptions into the harness's own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker.errors
import requests.exceptions

from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reported(action: str) -> Iterator[None]:
    """Raise EngineError, beginning with what was tried, for any exception of the SDK."""
    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise EngineError(f"{action}: {error}") from error
