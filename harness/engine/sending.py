"""What containers send: how much that is, and a limit to it.

A container sends through the eth0 of its own network namespace. A limit there holds for all that
it sends and for nothing that it receives, and it vanishes with the namespace: when the container
ends, also when it starts again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import EngineError

if TYPE_CHECKING:
    from harness.engine.containers import Container

_BITS: Final = 8
_BURST_BYTES: Final = 16 * 1024
_QUEUE_BYTES: Final = 64 * 1024
_HANDLE: Final = 0x10000
_SENT: Final = "/sys/class/net/eth0/statistics/tx_bytes"


def limit_sending(container: Container, mbit_per_second: int) -> None:
    """Let a container send so many megabits per second and no more, headers included.

    A bucket that fills at this rate (tc-tbf(8)); bursts of 16 KiB pass at once. Needs root.
    Raises EngineError where this machine cannot do it.
    """
    from pyroute2 import IPRoute, NetlinkError  # type: ignore[import-untyped] # noqa: PLC0415 - 0.2 s

    try:
        # pyroute2 leaves sockets open when there is no such namespace.
        namespace = Path(f"/proc/{container.pid}/ns/net")
        namespace.stat()
        with IPRoute(netns=str(namespace)) as kernel:
            (interface,) = kernel.link_lookup(ifname="eth0")
            kernel.tc(
                "replace",
                "tbf",
                index=interface,
                handle=_HANDLE,
                rate=mbit_per_second * 1_000_000 // _BITS,
                burst=_BURST_BYTES,
                limit=_QUEUE_BYTES,
            )
    except (NetlinkError, OSError, ValueError) as error:
        raise EngineError(
            f"what {container.name} sends cannot be limited: {error}",
            remedy="run as root on the engine's machine, on a kernel with the module sch_tbf; or "
            "remove link from the scenario",
        ) from error


def sent_bytes(container: Container) -> int:
    """Return how much a container has sent since it started, headers included."""
    return int(container.execute(["cat", _SENT]).text)
