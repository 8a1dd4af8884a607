"""Slow links: the kernel of this machine limits what it sends to one container.

A container's eth0 is one end of a pair of interfaces whose other end lies on this machine. What
that end sends is what the container receives. The limit vanishes with the container.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.command import Completed

_DISCIPLINE: Final = "tbf"  # a bucket that fills at the given rate, see tc-tbf(8)
_ROOT: Final = 0xFFFFFFFF
_MAJOR: Final = 0x10000  # a queueing discipline's handle is major:minor, 16 bits each
_BURST_BYTES: Final = 16 * 1024
_QUEUE_BYTES: Final = 64 * 1024


class RunsCommands(Protocol):
    """A container in which commands can be run: a node, a registry's container."""

    def execute(self, arguments: Sequence[str], *, timeout_seconds: float = 30) -> Completed:
        """Run a command inside."""
        ...


@dataclass(frozen=True)
class SlowLink:
    """A container receives no more than so many bytes per second, headers included.

    `interface` is the number that this machine gives its end of the container's link; see
    `link_of`. Bursts of 16 KiB pass at once. Needs root.
    """

    interface: int
    bytes_per_second: int

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"slowed down to {self.bytes_per_second / 1024:g} KiB/s"

    @property
    def subject(self) -> str:
        """The link."""
        return f"link {self.interface}"

    def inject(self) -> None:
        """Limit the link. Raises EngineError where the kernel refuses."""
        with _traffic_control() as kernel:
            kernel.tc(
                "add",
                _DISCIPLINE,
                index=self.interface,
                handle=_MAJOR,
                rate=self.bytes_per_second,
                burst=_BURST_BYTES,
                limit=_QUEUE_BYTES,
            )

    def heal(self) -> None:
        """Lift the limit; harmless where there is none, or no link any more."""
        # Another handle than ours is EINVAL to the kernel: nobody else's limit is lifted.
        with _traffic_control(errno.ENODEV, errno.ENOENT, errno.EINVAL) as kernel:
            kernel.tc("del", index=self.interface, handle=_MAJOR, parent=_ROOT)

    def is_active(self) -> bool:
        """Whether the kernel limits the link now, whatever the rate."""
        with _traffic_control() as kernel:
            return any(
                discipline["index"] == self.interface
                and discipline.get_attr("TCA_KIND") == _DISCIPLINE
                for discipline in kernel.get_qdiscs()
            )


def link_of(container: RunsCommands) -> int:
    """Return the number of the interface through which this machine sends to a container.

    Raises EngineError unless both ends name each other: the machine's own interfaces and
    those of strangers are never touched.
    """
    shown = container.execute(["cat", "/sys/class/net/eth0/ifindex", "/sys/class/net/eth0/iflink"])
    inner, _, outer = shown.text.strip().partition("\n")
    if outer and _peer_of(int(outer)) == int(inner):
        return int(outer)
    raise EngineError(
        f"a container's link does not end on this machine: {shown.text or shown.stderr}",
        remedy="slow links need containers in a bridge network of an engine on this machine",
    )


def _peer_of(interface: int) -> int | None:
    """Return the number of the other end of a virtual link, None for another kind."""
    with _traffic_control(errno.ENODEV) as kernel:
        for link in kernel.get_links(interface):
            details = link.get_attr("IFLA_LINKINFO")
            if details and details.get_attr("IFLA_INFO_KIND") == "veth":
                return int(link.get_attr("IFLA_LINK"))
    return None


@contextmanager
def _traffic_control(*harmless: int) -> Iterator[Any]:
    """Talk to the kernel's network stack; errors with a `harmless` number end the block."""
    from pyroute2 import IPRoute, NetlinkError  # type: ignore[import-untyped] # noqa: PLC0415 - 0.2 s

    with IPRoute() as kernel:
        try:
            yield kernel
        except NetlinkError as error:
            if error.code not in harmless:
                raise EngineError(
                    f"the kernel refuses to change or show a link: {error}",
                    remedy="run as root, on a kernel with the module sch_tbf",
                ) from error
