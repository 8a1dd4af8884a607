"""Container runtimes of nodes that end while their node goes on, or with it.

Where a node runs systemd, its runtime is a unit of that; else it is the process that the node's
container runs, and the node stops and starts with it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.engine.attaching import attached
from harness.errors import EngineError
from harness.faults.containers import Restarted, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Container, ContainerHandle

_UNIT_SECONDS: Final = 60


@dataclass(frozen=True)
class RuntimeStopped:
    """A node's runtime does not run; `unit` is systemd's, empty where there is none."""

    container: ContainerHandle
    unit: str

    @property
    def name(self) -> str:
        """What is wrong."""
        return "without its container runtime"

    @property
    def subject(self) -> str:
        """The node."""
        return self.container.name

    def inject(self) -> None:
        """Stop it."""
        if not self.unit:
            Stopped(self.container).inject()
            return
        with _running(self.container) as node:
            if node is None:
                raise EngineError(f"{self.subject} does not run")
            _systemctl(node, "stop", self.unit)

    def heal(self) -> None:
        """Start it again; running when this returns, be it not ready yet."""
        if not self.unit:
            Stopped(self.container).heal()
            return
        with _running(self.container) as node:
            if node is not None:
                _systemctl(node, "start", self.unit)

    def is_active(self) -> bool:
        """Whether it does not run, although the node does."""
        if not self.unit:
            return Stopped(self.container).is_active()
        with _running(self.container) as node:
            return node is not None and not _main_process(node, self.unit)


@dataclass(frozen=True)
class RuntimeRestarted:
    """A node's runtime was restarted, as by an upgrade; a disruption."""

    container: ContainerHandle
    unit: str

    @property
    def name(self) -> str:
        """What happened."""
        return "container runtime restarted"

    @property
    def subject(self) -> str:
        """The node."""
        return self.container.name

    def cause(self) -> None:
        """Restart it; running when this returns, be it not ready yet."""
        if not self.unit:
            Restarted(self.container).cause()
            return
        with _running(self.container) as node:
            if node is None:
                raise EngineError(f"{self.subject} does not run")
            before = _main_process(node, self.unit)
            _systemctl(node, "restart", self.unit)
            if _main_process(node, self.unit) in ("", before):
                raise EngineError(f"{self.unit} of {self.subject} has not restarted")


@contextmanager
def _running(handle: ContainerHandle) -> Iterator[Container | None]:
    with attached(handle, os.environ) as container:
        yield container if container and container.status == "running" else None


def _systemctl(node: Container, verb: str, unit: str) -> None:
    done = node.execute(["systemctl", verb, unit], timeout_seconds=_UNIT_SECONDS)
    if done.status != 0:
        raise EngineError(f"cannot {verb} {unit} of {node.name}: {done.stderr.strip()}")


def _main_process(node: Container, unit: str) -> str:
    """Return the number of a unit's main process, empty where it does not run."""
    shown = node.execute(["systemctl", "show", "--property", "MainPID", "--value", unit])
    number = shown.text.strip()
    return "" if number == "0" else number
