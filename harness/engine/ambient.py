"""The engine that the machine has already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine.client import Engine
from harness.engine.connection import connect
from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_MAJOR = 23
SYSTEM_SOCKET = Path("/var/run/docker.sock")


def find_ambient(environment: Mapping[str, str]) -> Engine | None:
    """Return the machine's engine, None where there is none that is new enough.

    $DOCKER_HOST is followed first and then nothing else: raises EngineError where it points
    to an engine that does not answer or is too old. The caller closes the client.
    """
    named = environment.get("DOCKER_HOST")
    if named:
        engine = _connect(named, environment)
        if engine is None:
            raise EngineError(
                f"DOCKER_HOST={named} names no engine that answers",
                remedy="start that engine, or unset DOCKER_HOST",
            )
        if not is_new_enough(engine.version):
            engine.client.close()
            raise EngineError(
                f"the engine at DOCKER_HOST={named} is version {engine.version}",
                remedy=f"upgrade it to {OLDEST_MAJOR} or newer, or unset DOCKER_HOST",
            )
        return engine
    for socket in _sockets(environment):
        engine = _connect(f"unix://{socket}", environment)
        if engine and is_new_enough(engine.version):
            return engine
        if engine:
            engine.client.close()
    return None


def is_new_enough(version: str) -> bool:
    """Whether an engine starts privileged containers on machines with few capabilities.

    Engines before 23 ask for every capability there is and fail where one is missing.
    """
    major = version.partition(".")[0]
    return major.isdigit() and int(major) >= OLDEST_MAJOR


def _sockets(environment: Mapping[str, str]) -> tuple[Path, ...]:
    runtime = environment.get("XDG_RUNTIME_DIR")
    return (SYSTEM_SOCKET, Path(runtime) / "docker.sock") if runtime else (SYSTEM_SOCKET,)


def _connect(url: str, environment: Mapping[str, str]) -> Engine | None:
    client = connect(url, environment)
    if client is None:
        return None
    version = str(client.version().get("Version", ""))
    return Engine(url=url, kind="ambient", version=version, client=client)
