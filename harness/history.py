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


_OPERATION = TypeAdapter(Operation)


class History:
    """Operations in the order in which they ended; many threads may append at once."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._operations = list(operations)
        self._lock = threading.Lock()

    def append(self, operation: Operation) -> None:
        """Record an operation that has ended."""
        with self._lock:
            self._operations.append(operation)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What is recorded so far."""
        with self._lock:
            return tuple(self._operations)

    def to_jsonl(self) -> str:
        """Return one line of JSON for each operation."""
        lines = (_OPERATION.dump_json(operation).decode() for operation in self.operations)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_jsonl(cls, text: str) -> History:
        """Read what `to_jsonl` wrote; a last line without its end was cut off and is left out.

        Raises HarnessError, which names the line.
        """
        operations: list[Operation] = []
        # Not splitlines(): evidence may hold other characters that end lines.
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            try:
                operations.append(_OPERATION.validate_json(line))
            except ValidationError as error:
                raise HarnessError(f"line {number} of the history: {error}") from error
        return cls(operations)
