"""A process that has a fault until it is killed."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from harness import command
from harness.faults.fault import injected
from harness.history import History
from harness.machine import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.faults.fault import Fault

# What docs/faults.md promises of a fault whose owner is gone.
HEALED_SECONDS = 30


@contextmanager
def owned_elsewhere(*faults: Fault, time_limit_seconds: float = 120) -> Iterator[int]:
    """Have another process inject faults; give the process, which is killed at the end.

    The time limit holds for the injection as well, which takes longest where pods are evicted.
    """
    with command.companion(
        [sys.executable, "-m", "tests.fault_owner", str(time_limit_seconds)],
        directory=CHECKOUT,
        grace_seconds=30,
    ) as owner:
        owner.tell(pickle.dumps(faults))
        pid = int(owner.answer(timeout_seconds=time_limit_seconds))
        try:
            yield pid
        finally:
            os.killpg(pid, signal.SIGKILL)


def main(time_limit_seconds: str) -> None:
    """Have the faults that come through standard input."""
    faults: tuple[Fault, ...] = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own pipe
    with ExitStack() as stack:
        for fault in faults:
            limit = float(time_limit_seconds)
            stack.enter_context(injected(fault, into=History(), time_limit_seconds=limit))
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
