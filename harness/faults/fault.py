"""What a fault is, and the one way to have it for a while."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.errors import HarnessError
from harness.faults.guard import guarded
from harness.faults.unsupported import UnsupportedFaultError
from harness.findings import NotVerified
from harness.history import FaultInterval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.faults.guard import Guard
    from harness.history import History


class Fault(Protocol):
    """One thing that can be wrong with a part of a lab: frozen data that can be pickled.

    Its guard, another process, heals it as well: all that it needs stands in its fields.
    """

    @property
    def name(self) -> str:
        """What is wrong, in words that follow the subject: `killed`."""
        ...

    @property
    def subject(self) -> str:
        """The part that is broken, as reports call it."""
        ...

    def inject(self) -> None:
        """Break the part; in force when this returns."""
        ...

    def heal(self) -> None:
        """Undo it; harmless when it was never injected or the part is gone."""
        ...

    def is_active(self) -> bool:
        """Whether the part itself shows the fault now; a part that is gone does not."""
        ...


class Disruption(Protocol):
    """What hits a part of a lab once and is over by itself: there is nothing to heal."""

    @property
    def name(self) -> str:
        """What happened, in words that follow the subject: `restarted`."""
        ...

    @property
    def subject(self) -> str:
        """The part that was hit, as reports call it."""
        ...

    def cause(self) -> None:
        """Hit the part; it works again when this returns. Raises HarnessError if it does not."""
        ...


FaultT = TypeVar("FaultT", bound=Fault)


@contextmanager
def injected(fault: FaultT, *, into: History, time_limit_seconds: float) -> Iterator[FaultT]:
    """Have a fault while the block runs, after healing what an earlier run may have left.

    Its interval is recorded in `into`. If this process is killed, a guard heals the fault at
    once; it does so too when the fault lasts longer than `time_limit_seconds`, which is an error
    of the harness: what the block has seen since then was not the fault.

    Raises NotVerified where this machine cannot have the fault. Raises HarnessError when the part
    does not show it, when it still shows it at the end, or when the guard had to heal it.
    """
    fault.heal()
    with guarded(fault, time_limit_seconds=time_limit_seconds) as guard:
        begin = time.time()
        _inject(fault, guard)
        try:
            if not fault.is_active():
                raise HarnessError(f"{_told(fault)} was injected, but nothing shows it")
            yield fault
        finally:
            _heal(fault, guard, into=into, begin=begin)


def caused(disruption: Disruption, *, into: History) -> None:
    """Have a part hit once, and record how long that took. Raises HarnessError."""
    begin, proven = time.time(), False
    try:
        disruption.cause()
        proven = True
    finally:
        _record(disruption, into, begin=begin, end=time.time(), proven=proven)


def _inject(fault: Fault, guard: Guard) -> None:
    """Break the part; what is half broken when this fails is left to the guard to heal."""
    try:
        fault.inject()
    except UnsupportedFaultError as error:
        guard.dismiss()
        raise NotVerified(f"{_told(fault)} cannot be had here: {error}") from error


def _heal(fault: Fault, guard: Guard, *, into: History, begin: float) -> None:
    """Heal a fault and record its interval, however that ends."""
    proven, ended_by_guard = False, None
    try:
        fault.heal()
        proven = not fault.is_active()
        ended_by_guard = guard.dismiss() if proven else None
    finally:
        _record(fault, into, begin=begin, end=ended_by_guard or time.time(), proven=proven)
    if not proven:
        raise HarnessError(
            f"{_told(fault)} was healed, but is still there",
            remedy="remove the lab: faults do not outlive the parts that they break",
        )
    if ended_by_guard is not None:
        raise HarnessError(
            f"{_told(fault)} lasted longer than its time limit and healed by itself",
            remedy="let the block end sooner, or give the fault more time",
        )


def _record(
    what: Fault | Disruption, history: History, *, begin: float, end: float, proven: bool
) -> None:
    history.append(FaultInterval(what.name, what.subject, begin, end, proven_healed=proven))


def _told(fault: Fault) -> str:
    return f"the fault `{fault.subject} {fault.name}`"
