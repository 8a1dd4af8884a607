"""Containers that stand still or are gone for a while: a registry, a replica, a balancer, a node.

A container that starts again may have another address; its name leads to the new one.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from harness.engine.attaching import attached
from harness.errors import EngineError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Container, ContainerHandle

_CHANGE_SECONDS: Final = 10


@dataclass(frozen=True)
class Ended:
    """Its process has ended, in the way that `name` tells; see Killed and Stopped."""

    container: ContainerHandle
    name: Literal["killed", "stopped"]

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """End it."""
        with _found(self.container) as container:
            if self.name == "killed":
                container.kill()
            else:
                container.stop(timeout_seconds=_CHANGE_SECONDS)
            _wait_for(container, "exited")

    def heal(self) -> None:
        """Start it again; running when this returns, be it not ready yet."""
        with attached(self.container, os.environ) as container:
            if container and container.status == "exited":
                container.start()
                _wait_for(container, "running")

    def is_active(self) -> bool:
        """Whether it does not run."""
        return _status(self.container) == "exited"


# Its process was killed: connections are reset, nothing is finished or said goodbye to.
Killed: Final = partial(Ended, name="killed")
# Its process was asked to end, as in a planned shutdown; it is killed unless it ends within 10 s.
Stopped: Final = partial(Ended, name="stopped")


@dataclass(frozen=True)
class Paused:
    """All its processes are frozen: connections are accepted, and nothing answers."""

    container: ContainerHandle

    @property
    def name(self) -> str:
        """What is wrong."""
        return "paused"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Freeze it."""
        with _found(self.container) as container:
            container.pause()
            _wait_for(container, "paused")

    def heal(self) -> None:
        """Let it go on."""
        with attached(self.container, os.environ) as container:
            if container and container.status == "paused":
                container.unpause()
                _wait_for(container, "running")

    def is_active(self) -> bool:
        """Whether it is frozen."""
        return _status(self.container) == "paused"


@dataclass(frozen=True)
class Restarted:
    """It was stopped and started again; a disruption, because it works again by itself."""

    container: ContainerHandle

    @property
    def name(self) -> str:
        """What happened."""
        return "restarted"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def cause(self) -> None:
        """Restart it; running when this returns, be it not ready yet."""
        with _found(self.container) as container:
            before = container.started_at
            container.restart(timeout_seconds=_CHANGE_SECONDS)
            _wait_for(container, "running")
            if container.started_at == before:
                raise EngineError(f"{self.subject} was told to restart, but has not")


def _status(handle: ContainerHandle) -> str:
    """Return Docker's word for a container's state, empty for one that is gone."""
    with attached(handle, os.environ) as container:
        return container.status if container else ""


@contextmanager
def _found(handle: ContainerHandle) -> Iterator[Container]:
    """Give a container that is about to be broken. Raises EngineError when it is gone."""
    with attached(handle, os.environ) as container:
        if container is None:
            raise EngineError(f"container {handle.name} is gone")
        yield container


def _wait_for(container: Container, status: str) -> None:
    wait_until(
        lambda: container.status,
        ready=lambda seen: seen == status,
        timeout_seconds=_CHANGE_SECONDS,
        what=f"container {container.name} to be {status}",
    )
