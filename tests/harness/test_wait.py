from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.errors import WaitTimeoutError
from harness.wait import wait_until


@dataclass
class Clock:
    """Time that passes only by sleeping."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_first_ready_state_is_returned_without_sleeping() -> None:
    clock = Clock()
    state = wait_until(
        lambda: "up", timeout_seconds=1, what="it", clock=clock.read, sleep=clock.sleep
    )
    assert (state, clock.slept) == ("up", [])


def test_probe_is_repeated_until_it_is_ready() -> None:
    clock, states = Clock(), iter([1, 2, 3])
    state = wait_until(
        lambda: next(states),
        ready=lambda state: state == 3,
        timeout_seconds=1,
        what="three",
        interval_seconds=0.25,
        clock=clock.read,
        sleep=clock.sleep,
    )
    assert (state, clock.slept) == (3, [0.25, 0.25])


def test_last_state_is_shown_when_time_runs_out() -> None:
    clock = Clock()
    with pytest.raises(WaitTimeoutError, match=r"waited 1 s for a node.*last state seen: 'down'"):
        wait_until(
            lambda: "down",
            ready=lambda state: state == "up",
            timeout_seconds=1,
            what="a node",
            interval_seconds=0.5,
            clock=clock.read,
            sleep=clock.sleep,
        )


def test_probe_is_asked_once_more_after_a_pause_longer_than_the_time_limit() -> None:
    clock = Clock()
    states = iter(["down", "up"])

    def sleep(seconds: float) -> None:
        clock.sleep(seconds + 100)

    state = wait_until(
        lambda: next(states),
        ready=lambda state: state == "up",
        timeout_seconds=1,
        what="a node",
        clock=clock.read,
        sleep=sleep,
    )
    assert state == "up"
