"""Open-loop load: operations begin when they are due, however long others take.

A user does not wait for another's pull to end, so neither does this. An operation's time counts
from the moment when it was due: what a stalled system holds up stands in the figures.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness import machine
from harness.findings import Inconclusive
from harness.measure import refuse_saturation
from harness.pool import Pool
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from harness.history import History, Operation

# Longer than any single operation takes, and later than any begins after it was due.
_WARM_UP_SECONDS = 90.0
_LATE_SECONDS = 10.0


@dataclass(frozen=True)
class Pace:
    """So many operations per second, and no more than `most` in all.

    The first `warm_up` of them are not recorded.
    """

    per_second: float
    most: int
    warm_up: int


def taking_turns(
    one: Callable[[int], Operation], other: Callable[[int], Operation], *, share: float
) -> Callable[[int], Operation]:
    """Return operations of two kinds, of which a share below 1 is the other's, spread evenly.

    Each kind gets numbers of its own, without a gap.
    """

    def operation(number: int) -> Operation:
        others = math.floor(number * share)
        if math.floor((number + 1) * share) > others:
            return other(others)
        return one(number - others)

    return operation


class Load:
    """Operations that are under way; see `under_load`."""

    def __init__(self, operation: Callable[[int], Operation], pace: Pace, into: History) -> None:
        self._operation = operation
        self._pace = pace
        self._into = into
        self._stopped = threading.Event()
        # When the first operation is due: in seconds since the epoch, and on the monotonic clock.
        self._began, self._clock = time.time(), time.monotonic()
        self._begun = 0
        self._under_way: set[float] = set()
        self._warm = threading.Semaphore(0)

    def go_on(self, seconds: float) -> None:
        """Return when what is due within so many seconds from now has begun.

        Raises Inconclusive when the pace ends before: what comes then is seen by nobody.
        """
        due = (time.monotonic() + seconds - self._clock) * self._pace.per_second
        wanted = max(self._begun + 1, math.ceil(due))
        if wanted > self._pace.most:
            raise Inconclusive(
                f"the load of {self._pace.most} operations was nearly over before all was seen"
            )
        wait_until(
            lambda: self._begun,
            ready=lambda begun: begun >= wanted,
            timeout_seconds=seconds + _LATE_SECONDS,
            what=f"operation number {wanted} to begin",
        )

    def has_ended_until(self, moment: float) -> bool:
        """Whether all that was due before a moment, in seconds since the epoch, has ended."""
        begun = self._begun
        if begun < self._pace.most and self._began + begun / self._pace.per_second < moment:
            return False  # the next one is late itself
        return all(due >= moment for due in self._under_way.copy())

    def schedule(self, pool: Pool, futures: list[Future[None]]) -> None:
        """Begin one operation after the other, each when it is due."""
        for number in range(self._pace.most):
            offset = number / self._pace.per_second
            due, due_clock = self._began + offset, self._clock + offset
            if self._stopped.wait(max(0.0, due_clock - time.monotonic())):
                return
            self._under_way.add(due)
            futures.append(pool.submit(self._run, number, due, due_clock))
            self._begun = number + 1

    def _run(self, number: int, due: float, due_clock: float) -> None:
        try:
            done = self._operation(number)
            took = time.monotonic() - due_clock
            if number >= self._pace.warm_up:
                timed = replace(done, started=due, ended=due + took, duration_seconds=took)
                self._into.append(timed)
        finally:
            self._under_way.discard(due)
            if number < self._pace.warm_up:
                self._warm.release()

    def wait_until_warm(self) -> None:
        """Return when the operations of the warm-up have ended."""
        for _ in range(self._pace.warm_up):
            self._warm.acquire(timeout=_WARM_UP_SECONDS)

    def stop(self) -> None:
        """Begin no further operation."""
        self._stopped.set()


@contextmanager
def under_load(
    operation: Callable[[int], Operation], pace: Pace, *, into: History
) -> Iterator[Load]:
    """Have operations under way while the block runs, which begins when the warm-up has ended.

    `operation` gets the operation's number; it ends by itself within its own time limit, failure
    is an outcome. No operation begins after the block, and the last has ended when this returns.
    Exceptions of an operation are raised then. Raises Inconclusive when this process was so busy
    that the figures would tell of it.
    """
    load = Load(operation, pace, into)
    futures: list[Future[None]] = []
    with Pool(pace.most + 1) as pool:
        busy, wall = time.process_time(), time.monotonic()
        scheduling = pool.submit(load.schedule, pool, futures)
        try:
            load.wait_until_warm()
            yield load
        finally:
            load.stop()
        scheduling.result()
        for future in futures:
            future.result()
        share = (time.process_time() - busy) / (time.monotonic() - wall)
    refuse_saturation(share / machine.cpus())
