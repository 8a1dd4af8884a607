"""The recorded history of a run: raw material that checks judge and that is kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(StrEnum):
    """How an operation ended; a timed-out push is unknown, because it may have landed."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Operation:
    """One operation of a workload.

    `started` and `ended` are seconds since the epoch, `duration_seconds` is monotonic;
    `transferred_bytes` is the image's size; `cause` is a failure code, empty when `ok`.
    """

    kind: str
    actor: str
    reference: str
    started: float
    ended: float
    duration_seconds: float
    outcome: Outcome
    digest: str
    transferred_bytes: int
    cause: str
    evidence: str = ""


@dataclass(frozen=True)
class FaultInterval:
    """How long a part of the system was broken on purpose.

    `fault` is what was wrong with `subject`, such as `killed`. `injected` is the moment before
    it was broken, `healed` the one when it was whole again, in seconds since the epoch.
    `proven_healed` tells that the part itself showed it; else `healed` is when we gave up.
    """

    fault: str
    subject: str
    injected: float
    healed: float
    proven_healed: bool

    @property
    def seconds(self) -> float:
        """How long it lasted, at most."""
        return self.healed - self.injected


Entry = Operation | FaultInterval
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class History:
    """Operations and faults in the order in which they ended; many threads may append at once."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = list(entries)
        self._lock = threading.Lock()

    def append(self, entry: Entry) -> None:
        """Record an operation or a fault that has ended."""
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that is recorded so far."""
        with self._lock:
            return tuple(self._entries)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations among the entries."""
        return tuple(entry for entry in self.entries if isinstance(entry, Operation))

    @property
    def faults(self) -> tuple[FaultInterval, ...]:
        """The faults among the entries."""
        return tuple(entry for entry in self.entries if isinstance(entry, FaultInterval))

    def to_jsonl(self) -> str:
        """Return one line of JSON for each entry."""
        lines = (_ENTRY.dump_json(entry).decode() for entry in self.entries)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_jsonl(cls, text: str) -> History:
        """Read what `to_jsonl` wrote; a last line without its end was cut off and is left out.

        Raises HarnessError, which names the line.
        """
        entries: list[Entry] = []
        # Not splitlines(): evidence may hold other characters that end lines.
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            try:
                entries.append(_ENTRY.validate_json(line))
            except ValidationError as error:
                raise HarnessError(f"line {number} of the history: {error}") from error
        return cls(entries)
