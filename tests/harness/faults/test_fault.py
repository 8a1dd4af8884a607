from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.errors import HarnessError
from harness.faults import injected


@dataclass
class Door:
    """A part of a lab that can be open, which it should not be."""

    open: bool = False
    stuck: bool = False
    calls: list[str] = field(default_factory=list)

    def inject(self) -> None:
        self.calls.append("inject")
        self.open = self.open or not self.stuck

    def heal(self) -> None:
        self.calls.append("heal")
        self.open = self.open and self.stuck

    def is_active(self) -> bool:
        return self.open


def test_fault_is_there_in_the_block_and_nowhere_else() -> None:
    door = Door()
    with injected(door) as fault:
        assert fault.open
    assert not door.open


def test_what_an_earlier_run_left_is_healed_first() -> None:
    door = Door(open=True)
    with injected(door):
        pass
    assert door.calls == ["heal", "inject", "heal"]


def test_fault_is_healed_when_the_block_raises() -> None:
    door = Door()
    with pytest.raises(ValueError, match="in the block"), injected(door):
        raise ValueError("in the block")
    assert not door.open


def test_fault_that_nothing_shows_is_an_error() -> None:
    with pytest.raises(HarnessError, match="nothing shows it"), injected(Door(stuck=True)):
        pytest.fail("the block must not run")


def test_fault_that_stays_is_an_error() -> None:
    with pytest.raises(HarnessError, match="is still there"), injected(Door(open=True, stuck=True)):
        pass
