"""Run a command in a container with a time limit, which the Docker SDK does not offer."""

from __future__ import annotations

import json
import socket
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.command import Completed
from harness.errors import CommandError, EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import docker

_STDERR = 2
_HEADER_BYTES = 8


def execute(
    client: docker.DockerClient,
    url: str,
    container_id: str,
    arguments: Sequence[str],
    *,
    timeout_seconds: float,
) -> Completed:
    """Run a command to its end; raises CommandError when the time runs out.

    `url` is the engine's own. Raises EngineError for an engine on another machine.
    """
    deadline = time.monotonic() + timeout_seconds
    execution = str(client.api.exec_create(container_id, list(arguments))["Id"])
    with _connected(url, timeout_seconds) as stream:
        connection = HTTPConnection("localhost")
        connection.sock = stream
        body = json.dumps({"Detach": False, "Tty": False})
        headers = {"Content-Type": "application/json"}
        try:
            connection.request("POST", f"/exec/{execution}/start", body, headers)
            with connection.getresponse() as response:
                frames = _read_all(response, stream, deadline)
        except TimeoutError:
            raise CommandError(
                f"{' '.join(arguments)}: still running after {timeout_seconds:g} s"
            ) from None
    if response.status != HTTPStatus.OK:
        raise EngineError(f"cannot run {' '.join(arguments)}: {frames.decode('utf-8', 'replace')}")
    stdout, stderr = split_streams(frames)
    status = int(client.api.exec_inspect(execution)["ExitCode"])
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


def _connected(url: str, timeout_seconds: float) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme != "unix":
        raise EngineError(
            f"cannot run commands in containers of the engine at {url}",
            remedy="use an engine on this machine, reached through its UNIX socket",
        )
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(timeout_seconds)
    stream.connect(parts.path)
    return stream


def _read_all(response: HTTPResponse, stream: socket.socket, deadline: float) -> bytes:
    received = bytearray()
    while True:
        stream.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = response.read1()
        if not chunk:
            return bytes(received)
        received += chunk
