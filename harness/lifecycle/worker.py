"""Worker processes of a run end with it, whatever ends it."""

from __future__ import annotations

import ctypes
import os
import signal

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, see prctl(2)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, whose id is given, ends.

    pytest-xdist's workers would go on for up to 15 s after their controller was killed, using
    an engine that nobody would end after them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it had ended before the kernel knew
        os.kill(os.getpid(), signal.SIGKILL)
