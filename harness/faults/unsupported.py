"""Faults that not every machine can have."""

from __future__ import annotations

from harness.errors import HarnessError


class UnsupportedFaultError(HarnessError):
    """A machine that cannot break a part in this way; the remedy names what it lacks.

    Nothing was broken, and nothing can be proven about it here.
    """
