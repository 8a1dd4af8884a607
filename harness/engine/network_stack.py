"""The kernel's network stack in a namespace, and how links queue what they send."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RATE: Final = "tbf"  # a bucket that fills at the given rate, see tc-tbf(8)
DELAY: Final = "netem"  # see tc-netem(8)
ROOT: Final = 0xFFFFFFFF
MAJOR: Final = 0x10000  # a queueing discipline's handle is major:minor, 16 bits each
_BURST_BYTES: Final = 16 * 1024
_QUEUE_BYTES: Final = 64 * 1024
_QUEUE_PACKETS: Final = 10_000  # what netem holds while it delays
# A kernel that lacks a discipline says that it finds none of that name.
_UNKNOWN: Final = (errno.ENOENT, errno.EOPNOTSUPP)


class NoDisciplineError(EngineError):
    """The kernel lacks a queueing discipline; the remedy names its module."""


@dataclass(frozen=True)
class Discipline:
    """How a link queues what it sends; `kind` is the kernel's name."""

    kind: str
    parameters: Mapping[str, int]


def limited(bytes_per_second: int) -> Discipline:
    """Return what sends no more than that, headers included; bursts of 16 KiB pass at once."""
    return Discipline(
        RATE, {"rate": bytes_per_second, "burst": _BURST_BYTES, "limit": _QUEUE_BYTES}
    )


def delayed(delay_seconds: float) -> Discipline:
    """Return what sends everything so much later."""
    return Discipline(DELAY, {"delay": round(delay_seconds * 1_000_000), "limit": _QUEUE_PACKETS})


@dataclass(frozen=True)
class NetworkStack:
    """A connection to it; `refused` is the type of its refusals."""

    kernel: Any
    refused: type[Any]

    def queue(
        self,
        verb: Literal["add", "replace"],
        discipline: Discipline,
        *,
        interface: int,
        handle: int,
        parent: int = ROOT,
    ) -> None:
        """Have a discipline on an interface, or in a class of another one.

        Raises NoDisciplineError.
        """
        where = {"index": interface, "handle": handle, "parent": parent}
        try:
            self.kernel.tc(verb, discipline.kind, **where, **discipline.parameters)
        except self.refused as error:
            if error.code not in _UNKNOWN:
                raise
            raise NoDisciplineError(
                f"the kernel has no {discipline.kind} for links",
                remedy=f"use a kernel with the module sch_{discipline.kind}",
            ) from error


@contextmanager
def network_stack(namespace: Path | None = None) -> Iterator[NetworkStack]:
    """Talk to the network stack of a namespace; this thread's if it is None.

    Refusals that the block lets through become EngineError.
    """
    from pyroute2 import IPRoute, NetlinkError  # type: ignore[import-untyped] # noqa: PLC0415 - 0.2 s

    try:
        if namespace is not None:
            namespace.stat()  # pyroute2 leaves sockets open when there is no such namespace
        with IPRoute(netns=str(namespace) if namespace else None) as kernel:
            yield NetworkStack(kernel, NetlinkError)
    except (NetlinkError, OSError) as error:  # or the namespace has gone
        raise EngineError(
            f"the kernel refuses to change or show a link: {error}", remedy="run as root"
        ) from error
