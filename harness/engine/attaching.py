"""Reaches containers that another process has started."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker.errors

from harness.engine.connection import connect
from harness.engine.containers import Container
from harness.engine.errors import reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.engine.containers import ContainerHandle


@contextmanager
def attached(handle: ContainerHandle, environment: Mapping[str, str]) -> Iterator[Container | None]:
    """Give the container, None where it or its engine is gone.

    `environment` may hold Docker's variables for TLS. Raises EngineError for an engine that
    does not let us look.
    """
    client = connect(handle.url, environment)
    if client is None:
        yield None
        return
    try:
        with reported(f"cannot look for container {handle.name}"):
            try:
                client.containers.get(handle.id)
            except docker.errors.NotFound:
                found = None
            else:
                found = Container(handle.name, handle.id, handle.url, client)
        yield found
    finally:
        client.close()
