"""Heals a fault whose owner was killed, or that lasts too long.

A guard is a process in a session of its own. It gets the fault through its standard input,
never as an argument, and heals it when that input ends without a word or the time is over.
Until then it imports next to nothing, so that it starts in a few hundredths of a second.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness import command
from harness.errors import HarnessError
from harness.machine import CHECKOUT
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.command import Companion
    from harness.faults.fault import Fault

_LENGTH_BYTES: Final = 8
_STARTED: Final = "started"
_DISMISSED: Final = "dismissed"
_START_SECONDS: Final = 30
_HEALING_SECONDS: Final = 30
# After this the kernel ends a guard whose healing hangs.
_GUARD_SECONDS: Final = 2 * _HEALING_SECONDS


@dataclass(frozen=True)
class Guard:
    """The guard of one fault, as the fault's owner sees it."""

    _companion: Companion

    def dismiss(self) -> float | None:
        """Tell it that the fault is healed.

        Returns when the guard had healed it, in seconds since the epoch; None if it had not.
        Raises CommandError when it has ended without a word.
        """
        self._companion.tell(b"\n")
        answer = self._companion.answer(timeout_seconds=_GUARD_SECONDS)
        return None if answer == _DISMISSED else float(answer)


@contextmanager
def guarded(fault: Fault, *, time_limit_seconds: float) -> Iterator[Guard]:
    """Have a guard of a fault that is about to be injected, until it is dismissed.

    One that was not dismissed when the block ends heals the fault. Raises HarnessError when no
    guard starts, or when the fault is not what another process would make of its data.
    """
    data = pickle.dumps(fault)
    if pickle.loads(data) != fault:  # noqa: S301 - made in the line before
        raise HarnessError(f"{fault!r} is not the same in another process")
    with command.companion(
        [sys.executable, "-m", "harness.faults.guard", str(time_limit_seconds)],
        directory=CHECKOUT,
        grace_seconds=_GUARD_SECONDS,
    ) as companion:
        companion.tell(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        companion.answer(timeout_seconds=_START_SECONDS)
        yield Guard(companion)


def main(time_limit_seconds: str) -> None:
    """Guard the fault that comes through standard input."""
    length = int.from_bytes(sys.stdin.buffer.read(_LENGTH_BYTES), "big")
    data = sys.stdin.buffer.read(length)
    _answer(_STARTED)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    dismissed = poll.poll(float(time_limit_seconds) * 1000) and os.read(0, 1)
    if dismissed:
        _answer(_DISMISSED)
        return
    signal.alarm(_GUARD_SECONDS)
    _heal(pickle.loads(data))  # noqa: S301 - our own pipe
    _answer(str(time.time()))


def _heal(fault: Fault) -> None:
    """Heal a fault; what keeps us from it may pass, such as an engine that is busy."""

    def left() -> str:
        try:
            fault.heal()
            return "the part still shows it" if fault.is_active() else ""
        except HarnessError as error:
            return str(error)

    wait_until(
        left,
        ready=lambda problem: not problem,
        timeout_seconds=_HEALING_SECONDS,
        interval_seconds=0.2,
        what=f"{fault!r} to be healed",
    )


def _answer(line: str) -> None:
    """Tell the owner something, who may be gone."""
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
