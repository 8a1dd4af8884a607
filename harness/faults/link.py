"""Slow links: the kernel of this machine limits or delays what it sends to one container.

A container's eth0 is one end of a pair of interfaces whose other end lies on this machine. What
that end sends is what the container receives; it has one queueing discipline, so a link is
either slow or delayed. Both vanish when the container ends, also when it starts again.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.engine.attaching import attached
from harness.engine.namespace import network_namespace
from harness.engine.network_stack import (
    DELAY,
    MAJOR,
    RATE,
    ROOT,
    NoDisciplineError,
    delayed,
    limited,
    network_stack,
)
from harness.errors import EngineError
from harness.faults.unsupported import UnsupportedFaultError

if TYPE_CHECKING:
    from harness.engine import ContainerHandle
    from harness.engine.network_stack import Discipline


@dataclass(frozen=True)
class SlowLink:
    """A container receives no more than so many bytes per second, headers included.

    Bursts of 16 KiB pass at once. Needs root.
    """

    container: ContainerHandle
    bytes_per_second: int

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"receiving at most {self.bytes_per_second / 1024:g} KiB/s"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Limit the link. Raises EngineError when there is none."""
        _queue(self.container, limited(self.bytes_per_second))

    def heal(self) -> None:
        """Lift the limit; harmless where there is none, or no container any more."""
        _unqueue(self.container)

    def is_active(self) -> bool:
        """Whether the kernel limits the link now, whatever the rate."""
        return _queues(self.container, RATE)


@dataclass(frozen=True)
class DelayedLink:
    """All that a container receives arrives so much later. Needs root and the module sch_netem."""

    container: ContainerHandle
    delay_seconds: float

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"receiving all {self.delay_seconds * 1000:g} ms late"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Delay the link. Raises EngineError when there is none, else UnsupportedFaultError."""
        _queue(self.container, delayed(self.delay_seconds))

    def heal(self) -> None:
        """Let everything arrive at once; harmless where nothing is late."""
        _unqueue(self.container)

    def is_active(self) -> bool:
        """Whether the kernel delays the link now, by however much."""
        return _queues(self.container, DELAY)


def _queue(handle: ContainerHandle, discipline: Discipline) -> None:
    """Have a discipline of ours on the link. Raises UnsupportedFaultError for want of a module."""
    interface = _outer_end(handle)
    if interface is None:
        raise EngineError(f"{handle.name} does not run: it has no link")
    with network_stack() as stack:
        try:
            stack.queue("add", discipline, interface=interface, handle=MAJOR)
        except NoDisciplineError as error:
            raise UnsupportedFaultError(error.problem, remedy=error.remedy) from error


def _unqueue(handle: ContainerHandle) -> None:
    interface = _outer_end(handle)
    if interface is None:
        return
    with network_stack() as stack:
        try:
            stack.kernel.tc("del", index=interface, handle=MAJOR, parent=ROOT)
        except stack.refused as error:
            # Another handle than ours is EINVAL to the kernel: nobody else's limit is lifted.
            if error.code not in (errno.ENODEV, errno.ENOENT, errno.EINVAL):
                raise


def _queues(handle: ContainerHandle, discipline: str) -> bool:
    interface = _outer_end(handle)
    if interface is None:
        return False
    with network_stack() as stack:
        return any(
            each["index"] == interface and each.get_attr("TCA_KIND") == discipline
            for each in stack.kernel.get_qdiscs()
        )


def _outer_end(handle: ContainerHandle) -> int | None:
    """Return the number of the interface through which this machine sends to a container.

    None when the container does not run. Raises EngineError unless both ends name each other:
    the machine's own interfaces and those of strangers are never touched.
    """
    with attached(handle, os.environ) as container:
        namespace = network_namespace(container) if container else None
    if namespace is None:
        return None
    with network_stack(namespace) as stack:
        ends = [
            (link["index"], link.get_attr("IFLA_LINK"))
            for link in stack.kernel.get_links()
            if link.get_attr("IFLA_IFNAME") == "eth0"
        ]
    with network_stack() as stack:
        pairs = {
            (link.get_attr("IFLA_LINK"), link["index"])
            for link in stack.kernel.get_links()
            if _is_virtual(link)
        }
    if len(ends) != 1 or ends[0] not in pairs:
        raise EngineError(
            f"the link of {handle.name} does not end on this machine",
            remedy="slow links need containers in a bridge network of an engine on this machine",
        )
    return int(ends[0][1])


def _is_virtual(link: Any) -> bool:  # noqa: ANN401 - pyroute2 has no types
    details = link.get_attr("IFLA_LINKINFO")
    return bool(details) and details.get_attr("IFLA_INFO_KIND") == "veth"
