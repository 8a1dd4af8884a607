"""What containers send: how much that is, and limits to it.

A container sends through the eth0 of its own network namespace. Limits there hold for all that
it sends and for nothing that it receives, and they vanish with the namespace: when the container
ends, also when it starts again.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.engine.network_stack import MAJOR, ROOT, delayed, limited, network_stack
from harness.errors import EngineError
from harness.pool import Pool

if TYPE_CHECKING:
    from harness.engine.containers import Container
    from harness.engine.network_stack import NetworkStack

_BITS: Final = 8
_MILLISECONDS: Final = 1000
_BUCKET: Final = MAJOR
_LATE: Final = 2 * MAJOR
_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET, see unshare(2)
_SENT: Final = "/sys/class/net/eth0/statistics/tx_bytes"


def limit_sending(
    container: Container, mbit_per_second: int | None, *, delay_ms: int | None = None
) -> None:
    """Let a container send so many megabits per second and no more, each packet so much later.

    None leaves out the one or the other. Needs root. Raises EngineError where this machine
    cannot do it.
    """
    try:
        with network_stack(Path(f"/proc/{container.pid}/ns/net")) as stack:
            _limit(stack, "eth0", mbit_per_second, delay_ms)
    except EngineError as error:
        raise EngineError(
            f"what {container.name} sends cannot be limited: {error.problem}", remedy=error.remedy
        ) from error


def try_limits(mbit_per_second: int | None, *, delay_ms: int | None = None) -> None:
    """Raise EngineError where `limit_sending` could not do that.

    Nothing is left of the trial: it takes place in a network namespace that a thread has for
    itself and that ends with it.
    """

    def enter_and_try() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise EngineError(f"no network of our own: {reason}", remedy="run as root")
        with network_stack() as stack:
            _limit(stack, "lo", mbit_per_second, delay_ms)

    with Pool(1) as pool:
        pool.submit(enter_and_try).result()


def sent_bytes(container: Container) -> int:
    """Return how much a container has sent since it started, headers included."""
    return int(container.execute(["cat", _SENT]).text)


def _limit(
    stack: NetworkStack, interface_name: str, mbit_per_second: int | None, delay_ms: int | None
) -> None:
    """Have a bucket on an interface and, in its only class or alone, what holds packets back."""
    (interface,) = stack.kernel.link_lookup(ifname=interface_name)
    parent = ROOT
    if mbit_per_second is not None:
        rate = limited(mbit_per_second * 1_000_000 // _BITS)
        stack.queue("replace", rate, interface=interface, handle=_BUCKET)
        parent = _BUCKET + 1
    if delay_ms is not None:
        late = delayed(delay_ms / _MILLISECONDS)
        stack.queue("replace", late, interface=interface, handle=_LATE, parent=parent)
