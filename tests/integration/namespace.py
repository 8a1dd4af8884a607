"""Gives a test a network of its own, so that it neither sees nor disturbs the machine's."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, see unshare(2)
_OWN = Path("/proc/thread-self/ns/net")


@contextmanager
def own_network_namespace() -> Iterator[None]:
    """Move this thread, and whatever it starts, into a new and empty network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(_OWN, os.O_RDONLY)
    try:
        if libc.unshare(_NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "cannot make a network namespace")
        try:
            yield
        finally:
            if libc.setns(before, _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "cannot return to the machine's network")
    finally:
        os.close(before)
