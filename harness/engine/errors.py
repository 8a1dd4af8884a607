"""Turns the Docker SDK's exceptions into the harness's own."""

from __future__ import annotations

from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING

import docker.errors

from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reported(action: str) -> Iterator[None]:
    """Raise EngineError, beginning with what was tried, for the SDK's and the system's errors."""
    try:
        yield
    except (docker.errors.DockerException, HTTPException, OSError) as error:
        raise EngineError(f"{action}: {error}") from error
