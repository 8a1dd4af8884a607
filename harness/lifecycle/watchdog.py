"""Waits for a run's process to end, in whatever way, and removes what it left.

pytest runs no teardown on SIGTERM or SIGKILL, so somebody else must. Started by
`harness.lifecycle.run.started_run` in a session of its own.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.home import Home
from harness.lifecycle.run import Run, living_runs

if TYPE_CHECKING:
    from collections.abc import Callable


def outlive(pid: int, *, time_limit_seconds: float, lives: Callable[[], bool]) -> None:
    """Return when the process has ended; kill it when its time has run out.

    By then its run may have ended and the process do something else: `lives` tells. A pidfd
    names the process for good: a later process with the same number is never killed.
    """
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(process, select.POLLIN)
    if not poll.poll(time_limit_seconds * 1000) and lives():
        signal.pidfd_send_signal(process, signal.SIGKILL)
        poll.poll()
    os.close(process)


def main(home_root: str, run_id: str, pid: str, time_limit_seconds: str) -> None:
    """Outlive the run, then reap it if its folder is still there."""
    home = Home(Path(home_root))
    run = Run(id=run_id, folder=home.run(run_id))
    outlive(
        int(pid),
        time_limit_seconds=float(time_limit_seconds),
        lives=lambda: run in living_runs(home),
    )
    if run.folder.exists():
        # Only here: docker's import takes 0.2 s, and most watchdogs never need it.
        from harness.lifecycle.reap import SETTLED_SECONDS, reap  # noqa: PLC0415

        reap(
            run,
            home,
            environment=os.environ,
            announce=print,
            settled_seconds=SETTLED_SECONDS,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
