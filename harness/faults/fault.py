"""What a fault is, and the one way to have it for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(Protocol):
    """One thing that can be wrong with a part of a lab."""

    def inject(self) -> None:
        """Break the part; in force when this returns."""
        ...

    def heal(self) -> None:
        """Undo it; harmless when it was never injected or the part is gone."""
        ...

    def is_active(self) -> bool:
        """Whether the part itself shows the fault now."""
        ...


FaultT = TypeVar("FaultT", bound=Fault)


@contextmanager
def injected(fault: FaultT) -> Iterator[FaultT]:
    """Have a fault while the block runs, after healing what an earlier run may have left.

    Raises HarnessError when the part does not show the fault, or still shows it at the end.
    """
    fault.heal()
    try:
        fault.inject()
        if not fault.is_active():
            raise HarnessError(f"{fault} was injected, but nothing shows it")
        yield fault
    finally:
        fault.heal()
        if fault.is_active():
            raise HarnessError(
                f"{fault} was healed, but is still there",
                remedy="remove the lab: faults do not outlive the parts that they break",
            )
