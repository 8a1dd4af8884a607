from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.faults.fault import caused, injected
from harness.history import History
from harness.wait import wait_until
from tests.harness.faults.door import Door

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture
def history() -> History:
    return History()


def test_fault_is_there_in_the_block_and_nowhere_else(door: Door, history: History) -> None:
    begin = time.time()
    with injected(door, into=history, time_limit_seconds=60) as fault:
        assert fault.is_active()
        inside = time.time()
    assert not door.is_active()

    (recorded,) = history.faults
    assert (recorded.subject, recorded.fault) == ("the door", "open")
    assert begin <= recorded.injected <= inside <= recorded.healed <= time.time()
    assert recorded.proven_healed


def test_what_an_earlier_run_left_is_healed_first(door: Door, history: History) -> None:
    door.inject()
    door.calls.unlink()
    with injected(door, into=history, time_limit_seconds=60):
        pass
    assert door.calls.read_text().split() == ["heal", "inject", "heal"]


def test_fault_is_healed_and_recorded_when_the_block_raises(door: Door, history: History) -> None:
    with (
        pytest.raises(ValueError, match="in the block"),
        injected(door, into=history, time_limit_seconds=60),
    ):
        raise ValueError("in the block")
    assert not door.is_active()
    assert len(history.faults) == 1


def test_fault_that_nothing_shows_is_an_error(door: Door, history: History) -> None:
    door.stuck.touch()
    with (
        pytest.raises(HarnessError, match="`the door open` was injected, but nothing shows it"),
        injected(door, into=history, time_limit_seconds=60),
    ):
        pytest.fail("the block must not run")


def gone_wrong(door: Door, history: History, *, time_limit_seconds: float = 60) -> None:
    """Have the fault for as long as it lasts by itself, which it should not."""
    with injected(door, into=history, time_limit_seconds=time_limit_seconds):
        wait_until(lambda: not door.is_active(), timeout_seconds=10, what="the door to close")


def hard_to_heal(door: Door, history: History) -> None:
    """Have a fault that its owner cannot heal, but its guard can."""
    with injected(door, into=history, time_limit_seconds=60):
        door.stuck.touch()
        door.gives_way.touch()


def test_fault_that_stays_is_an_error_and_left_to_its_guard(door: Door, history: History) -> None:
    with pytest.raises(HarnessError, match="is still there"):
        hard_to_heal(door, history)
    assert not history.faults[0].proven_healed
    assert not door.is_active()


def test_fault_that_outstays_its_time_heals_by_itself_and_is_an_error(
    door: Door, history: History
) -> None:
    with pytest.raises(HarnessError, match="longer than its time limit and healed by itself"):
        gone_wrong(door, history, time_limit_seconds=0.2)
    (recorded,) = history.faults
    assert recorded.proven_healed


@dataclass(frozen=True)
class Bell:
    """A disruption that works or does not."""

    broken: bool = False

    @property
    def name(self) -> str:
        return "rung"

    @property
    def subject(self) -> str:
        return "the bell"

    def cause(self) -> None:
        if self.broken:
            raise HarnessError("no sound")


def test_disruption_is_recorded(history: History) -> None:
    caused(Bell(), into=history)

    (recorded,) = history.faults
    assert (recorded.subject, recorded.fault, recorded.proven_healed) == ("the bell", "rung", True)


def test_disruption_that_fails_is_recorded_as_unproven(history: History) -> None:
    with pytest.raises(HarnessError, match="no sound"):
        caused(Bell(broken=True), into=history)

    assert [fault.proven_healed for fault in history.faults] == [False]
