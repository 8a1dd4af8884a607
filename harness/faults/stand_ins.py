"""Containers that another one stands in for: it has their names and answers otherwise."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.engine.attaching import attached
from harness.faults.containers import Stopped
from harness.wait import wait_until

if TYPE_CHECKING:
    from harness.engine import ContainerHandle
    from harness.registry.protocols import StandIn


_READY_SECONDS: Final = 10


@dataclass(frozen=True)
class Replaced:
    """A container is stopped, and another one is found under its names.

    `name` is what the other one does, in words that follow the subject: `answering 429`.
    """

    container: ContainerHandle
    stand_in: StandIn
    name: str

    @property
    def subject(self) -> str:
        """The container that is replaced."""
        return self.container.name

    def inject(self) -> None:
        """Stop the one and start the other; it takes connections when this returns."""
        Stopped(self.container).inject()
        with attached(self.container, os.environ) as container:
            if container is not None:
                other = container.start_beside(self.stand_in.container)
                wait_until(
                    lambda: _takes_connections(other.address, self.stand_in.port),
                    timeout_seconds=_READY_SECONDS,
                    what=f"{other.name} to take connections",
                )

    def heal(self) -> None:
        """Remove the stand-in and start the container again; running when this returns."""
        with attached(self.container, os.environ) as container:
            if container and (other := container.beside(self.stand_in.container.name)):
                other.remove()
        Stopped(self.container).heal()

    def is_active(self) -> bool:
        """Whether the stand-in is there, or the container does not run."""
        with attached(self.container, os.environ) as container:
            standing_in = container and container.beside(self.stand_in.container.name)
        return bool(standing_in) or Stopped(self.container).is_active()


def _takes_connections(address: str, port: int) -> bool:
    with closing(socket.socket()) as connection:
        connection.settimeout(1)
        return connection.connect_ex((address, port)) == 0
