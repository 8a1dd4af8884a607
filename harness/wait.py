"""The only polling loop of the project, and so the only place that sleeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from harness.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_until(
    probe: Callable[[], T],
    *,
    ready: Callable[[T], bool] = bool,
    timeout_seconds: float,
    what: str,
    interval_seconds: float = 0.02,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call `probe` until `ready` accepts what it returns, and return that.

    `what` completes the sentence "waited for ...". The probe is called at least once and
    once more after the time has run out, so that a slow machine is not judged by its pauses.
    `clock` and `sleep` exist for tests. Exceptions of the probe are not caught: a probe that
    expects a failure turns it into a state.

    Raises WaitTimeoutError, which shows the last state seen.
    """
    deadline = clock() + timeout_seconds
    while True:
        expired = clock() >= deadline
        state = probe()
        if ready(state):
            return state
        if expired:
            raise WaitTimeoutError(
                f"waited {timeout_seconds:g} s for {what}; last state seen: {state!r}"
            )
        sleep(interval_seconds)
