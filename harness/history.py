"""The recorded history of a run: raw material that checks judge and that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
