"""Faults whose owners are killed heal by themselves."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from harness import command
from harness.errors import CommandError, HarnessError
from harness.faults.guard import guarded
from harness.wait import wait_until
from tests.fault_owner import HEALED_SECONDS, owned_elsewhere
from tests.harness.faults.door import Door

if TYPE_CHECKING:
    from pathlib import Path


def test_fault_heals_when_its_owner_is_killed(tmp_path: Path) -> None:
    door = Door(tmp_path)
    with owned_elsewhere(door) as pid:
        assert door.is_active()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not door.is_active(), timeout_seconds=HEALED_SECONDS, what="the door to close"
        )


def test_guard_tries_again_while_the_fault_stays(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.inject()
    door.stuck.touch()
    door.gives_way.touch()
    with guarded(door, time_limit_seconds=60):
        pass
    assert not door.is_active()


def test_dismissed_guard_heals_nothing(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.inject()
    with guarded(door, time_limit_seconds=60) as guard:
        assert guard.dismiss() is None
    assert door.is_active()


def guard_of_this_process() -> tuple[int, str]:
    """Return the guard's process and what others see of its arguments."""
    listed = command.run(["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], timeout_seconds=10)
    (line,) = [line for line in listed.text.splitlines() if "harness.faults.guard" in line]
    pid, _, arguments = line.strip().partition(" ")
    return int(pid), arguments


def test_guard_is_told_in_no_argument_what_it_guards(tmp_path: Path) -> None:
    with guarded(Door(tmp_path), time_limit_seconds=60) as guard:
        _, arguments = guard_of_this_process()
        guard.dismiss()
    assert arguments == f"{sys.executable} -m harness.faults.guard 60"


@dataclass(frozen=True)
class Forgetful(Door):
    """A fault that another process would take for a different one."""

    password: str = field(default="")

    def __reduce__(self) -> tuple[type[Forgetful], tuple[Path]]:
        return Forgetful, (self.folder,)


def test_fault_that_another_process_would_not_know_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(HarnessError, match="not the same in another process"),
        guarded(Forgetful(tmp_path, "x"), time_limit_seconds=60),
    ):
        pytest.fail("the block must not run")


def test_guard_that_was_killed_is_missed(tmp_path: Path) -> None:
    with guarded(Door(tmp_path), time_limit_seconds=60) as guard:
        pid, _ = guard_of_this_process()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(CommandError, match="ended without an answer"):
            guard.dismiss()
