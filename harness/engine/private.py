"""The engine that the harness keeps for itself, shared by all runs of one home.

Two locks make the sharing safe, both freed by the kernel when their holder dies in whatever
way: `gate` is held for the moment of starting or stopping, `users` is held shared by every
run for as long as it uses the engine. Whoever gets `users` alone while holding the gate is
the last one.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import docker
import docker.errors
from filelock import FileLock, Timeout

from harness.engine.client import Engine
from harness.engine.connection import connect
from harness.engine.containers import remove_container
from harness.engine.daemon import Daemon
from harness.engine.programs import install_programs
from harness.errors import EngineError, HarnessError, WaitTimeoutError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.home import Home

_START_SECONDS = 60
# The first run of a home downloads and unpacks while others wait at the gate.
_GATE_SECONDS = 900


@contextmanager
def private_engine(home: Home, announce: Callable[[str], None]) -> Iterator[Engine]:
    """Share the home's engine, starting it where it does not run; the last one out ends it.

    Raises EngineError where none can be made, which takes root on a Debian system.
    """
    _require_root()
    home.engine.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(home.engine.resolve())
    users = os.open(home.engine / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with _gate(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            programs = install_programs(home, announce)
            client = _connect(daemon)
            if client is None:
                announce("starting the private container engine")
                daemon.sweep()
                programs.choose_iptables()
                daemon.start(programs)
                client = _wait_for(daemon)
        try:
            version = str(client.version()["Version"])
            yield Engine(f"unix://{daemon.socket}", "private", version, client, programs)
        finally:
            client.close()
    finally:
        # Closing gives the lock back before the gate is taken, so that two runs that leave
        # at once cannot each take the other for a user.
        os.close(users)
        stop_unused(home)


def stop_unused(home: Home) -> bool:
    """End the private engine unless a run uses it; return whether it does not run any more.

    What leftover containers, networks and volumes it holds is removed; images are kept.
    """
    with _gate(home):
        users = os.open(home.engine / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            daemon = Daemon(home.engine.resolve())
            client = _connect(daemon)
            if client is not None:
                with suppress(HarnessError, docker.errors.DockerException):
                    _empty(client)
                client.close()
            daemon.end()
            return True
        finally:
            os.close(users)


def _require_root() -> None:
    if os.geteuid() != 0:
        raise EngineError(
            "no Docker engine answers, and making a private one takes root",
            remedy="install Docker 23 or newer and let this user reach its socket, or run as root",
        )


@contextmanager
def _gate(home: Home) -> Iterator[None]:
    lock = FileLock(home.engine / "gate.lock", timeout=_GATE_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise EngineError(
            f"another run has been starting or stopping the engine for {_GATE_SECONDS} s",
            remedy=f"end that run; it holds {home.engine / 'gate.lock'}",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _connect(daemon: Daemon) -> docker.DockerClient | None:
    """Return a client of the engine, None where it does not run or does not answer."""
    if not daemon.runs():
        return None
    return connect(f"unix://{daemon.socket}", {}, timeout_seconds=_START_SECONDS)


def _wait_for(daemon: Daemon) -> docker.DockerClient:
    with suppress(WaitTimeoutError):
        client = wait_until(
            lambda: _connect(daemon),
            ready=lambda client: client is not None or not daemon.runs(),
            timeout_seconds=_START_SECONDS,
            what="the private container engine to answer",
        )
        if client is not None:
            return client
    daemon.end()
    raise EngineError(
        f"the private container engine did not start: {_last_lines(daemon.log)}",
        remedy=f"read {daemon.log}, or install Docker 23 or newer yourself",
    )


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:])


def _empty(client: docker.DockerClient) -> None:
    """Remove all containers, networks and volumes: nobody who could own them is left."""
    for container in client.containers.list(all=True, ignore_removed=True):
        remove_container(client, str(container.id))
    for network in client.networks.list(filters={"type": "custom"}):
        network.remove()
    for volume in client.volumes.list():
        volume.remove(force=True)
