"""Run a command in a container with a time limit, which the Docker SDK does not offer."""

from __future__ import annotations

import os
import select
import time
from socket import SocketIO
from typing import TYPE_CHECKING

from harness.command import Completed
from harness.errors import CommandError, EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import docker

_STDERR = 2
_HEADER_BYTES = 8


def execute(
    client: docker.DockerClient,
    container_id: str,
    arguments: Sequence[str],
    timeout_seconds: float,
) -> Completed:
    """Run a command to its end; raises CommandError when the time runs out."""
    api = client.api
    execution = str(api.exec_create(container_id, list(arguments))["Id"])
    connection = api.exec_start(execution, socket=True)
    if not isinstance(connection, SocketIO):
        raise EngineError(
            f"cannot run commands in containers through {api.base_url}",
            remedy="use an engine on this machine, reached through its UNIX socket",
        )
    try:
        frames = _read_all(connection.fileno(), time.monotonic() + timeout_seconds)
    except TimeoutError:
        raise CommandError(
            f"{' '.join(arguments)}: still running after {timeout_seconds:g} s"
        ) from None
    finally:
        connection.close()
    stdout, stderr = split_streams(frames)
    status = int(api.exec_inspect(execution)["ExitCode"])
    return Completed(status, stdout, stderr.decode("utf-8", "replace"))


def split_streams(frames: bytes) -> tuple[bytes, bytes]:
    """Separate standard output and error, which Docker sends as frames on one connection.

    A frame is the stream's number, three zeroes, the length in 4 bytes, and the content; see
    "Attach to a container" in the Docker Engine API.
    """
    stdout, stderr = bytearray(), bytearray()
    position = 0
    while position < len(frames):
        length = int.from_bytes(frames[position + 4 : position + _HEADER_BYTES], "big")
        start = position + _HEADER_BYTES
        stream = stderr if frames[position] == _STDERR else stdout
        stream += frames[start : start + length]
        position = start + length
    return bytes(stdout), bytes(stderr)


def _read_all(descriptor: int, deadline: float) -> bytes:
    readable = select.poll()
    readable.register(descriptor, select.POLLIN | select.POLLHUP)
    received = bytearray()
    while True:
        remaining_seconds = max(0.0, deadline - time.monotonic())
        if not readable.poll(remaining_seconds * 1000):
            raise TimeoutError
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return bytes(received)
        received += chunk
