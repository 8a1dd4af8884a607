"""Routes of last resort that keep packets for a removed lab network on this machine.

While a lab's bridge exists its own route wins; once it is gone the addresses of its
containers would be sent to the default gateway, that is to strangers.
"""

from __future__ import annotations

import errno

from harness.errors import EngineError

# The worst metric there is, so that any other route to the same network wins.
METRIC = 2**32 - 1


def add_blackhole(subnet: str) -> None:
    """Drop what is sent to a subnet (CIDR) when no better route exists; twice does no harm.

    Needs root. Raises EngineError where the kernel refuses.
    """
    _change("add", subnet, harmless=errno.EEXIST)


def remove_blackhole(subnet: str) -> None:
    """Remove the route that `add_blackhole` made; twice does no harm."""
    _change("del", subnet, harmless=errno.ESRCH)


def _change(command: str, subnet: str, *, harmless: int) -> None:
    from pyroute2 import IPRoute, NetlinkError  # type: ignore[import-untyped] # noqa: PLC0415 - 0.2 s

    with IPRoute() as routes:
        try:
            routes.route(command, dst=subnet, type="blackhole", priority=METRIC)
        except NetlinkError as error:
            if error.code != harmless:
                raise EngineError(
                    f"cannot {command} the blackhole route for {subnet}: {error}",
                    remedy="run as root, or use an engine that was installed with the system",
                ) from error
