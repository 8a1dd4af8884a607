"""Waits for alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.errors import WaitTimeoutError
from harness.monitoring.configuration import SCRAPE_SECONDS
from harness.wait import wait_until

if TYPE_CHECKING:
    from harness.monitoring.protocols import Monitors

FIRING: Final = "firing"
INACTIVE: Final = "inactive"


def state_of(monitor: Monitors, alert: str) -> str:
    """Return the state of an alert on the registry that is scraped, `inactive` for none."""
    found = {
        each.state
        for each in monitor.alerts()
        if (each.name, each.registry) == (alert, monitor.registry)
    }
    return found.pop() if found else INACTIVE


def wait_for(monitor: Monitors, alert: str, state: str, *, timeout_seconds: float) -> str:
    """Wait until an alert has a state; return the one that it has at the end, that one or not."""
    try:
        return wait_until(
            lambda: state_of(monitor, alert),
            ready=lambda seen: seen == state,
            timeout_seconds=timeout_seconds,
            interval_seconds=SCRAPE_SECONDS / 10,
            what=f"{alert} to be {state}",
        )
    except WaitTimeoutError:
        return state_of(monitor, alert)
