"""Slow links: the kernel of this machine limits or delays what it sends to one container.

A container's eth0 is one end of a pair of interfaces whose other end lies on this machine. What
that end sends is what the container receives; it has one queueing discipline, so a link is
either slow or delayed. Both vanish when the container ends, also when it starts again.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.engine.attaching import attached
from harness.engine.namespace import network_namespace
from harness.errors import EngineError
from harness.faults.unsupported import UnsupportedFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine import ContainerHandle

_RATE: Final = "tbf"  # a bucket that fills at the given rate, see tc-tbf(8)
_DELAY: Final = "netem"  # see tc-netem(8)
_ROOT: Final = 0xFFFFFFFF
_MAJOR: Final = 0x10000  # a queueing discipline's handle is major:minor, 16 bits each
_BURST_BYTES: Final = 16 * 1024
_QUEUE_BYTES: Final = 64 * 1024
_QUEUE_PACKETS: Final = 10_000  # what netem holds while it delays
# A kernel that lacks a discipline says that it finds none of that name.
_UNKNOWN: Final = (errno.ENOENT, errno.EOPNOTSUPP)


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
        _queue(
            self.container,
            _RATE,
            rate=self.bytes_per_second,
            burst=_BURST_BYTES,
            limit=_QUEUE_BYTES,
        )

    def heal(self) -> None:
        """Lift the limit; harmless where there is none, or no container any more."""
        _unqueue(self.container)

    def is_active(self) -> bool:
        """Whether the kernel limits the link now, whatever the rate."""
        return _queues(self.container, _RATE)


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
        microseconds = round(self.delay_seconds * 1_000_000)
        _queue(self.container, _DELAY, delay=microseconds, limit=_QUEUE_PACKETS)

    def heal(self) -> None:
        """Let everything arrive at once; harmless where nothing is late."""
        _unqueue(self.container)

    def is_active(self) -> bool:
        """Whether the kernel delays the link now, by however much."""
        return _queues(self.container, _DELAY)


def _queue(handle: ContainerHandle, discipline: str, **parameters: int) -> None:
    """Have a discipline of ours on the link. Raises UnsupportedFaultError for want of a module."""
    interface = _outer_end(handle)
    if interface is None:
        raise EngineError(f"{handle.name} does not run: it has no link")
    with _kernel() as (kernel, refused):
        try:
            kernel.tc("add", discipline, index=interface, handle=_MAJOR, **parameters)
        except refused as error:
            if error.code not in _UNKNOWN:
                raise
            raise UnsupportedFaultError(
                f"the kernel has no {discipline} for links",
                remedy=f"use a kernel with the module sch_{discipline}",
            ) from error


def _unqueue(handle: ContainerHandle) -> None:
    interface = _outer_end(handle)
    if interface is None:
        return
    with _kernel() as (kernel, refused):
        try:
            kernel.tc("del", index=interface, handle=_MAJOR, parent=_ROOT)
        except refused as error:
            # Another handle than ours is EINVAL to the kernel: nobody else's limit is lifted.
            if error.code not in (errno.ENODEV, errno.ENOENT, errno.EINVAL):
                raise


def _queues(handle: ContainerHandle, discipline: str) -> bool:
    interface = _outer_end(handle)
    if interface is None:
        return False
    with _kernel() as (kernel, _):
        return any(
            each["index"] == interface and each.get_attr("TCA_KIND") == discipline
            for each in kernel.get_qdiscs()
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
    with _kernel(namespace) as (kernel, _):
        ends = [
            (link["index"], link.get_attr("IFLA_LINK"))
            for link in kernel.get_links()
            if link.get_attr("IFLA_IFNAME") == "eth0"
        ]
    with _kernel() as (kernel, _):
        pairs = {
            (link.get_attr("IFLA_LINK"), link["index"])
            for link in kernel.get_links()
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


@contextmanager
def _kernel(namespace: Path | None = None) -> Iterator[tuple[Any, type[Any]]]:
    """Talk to the network stack of a namespace; ours if it is None.

    Gives the type of its refusals as well; those that the block lets through become EngineError.
    """
    from pyroute2 import IPRoute, NetlinkError  # type: ignore[import-untyped] # noqa: PLC0415 - 0.2 s

    try:
        with IPRoute(netns=str(namespace) if namespace else None) as kernel:
            yield kernel, NetlinkError
    except (NetlinkError, OSError) as error:  # or the namespace has gone
        raise EngineError(
            f"the kernel refuses to change or show a link: {error}", remedy="run as root"
        ) from error
