"""What a registry tells of its use: requests, bytes, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Request:
    """One request as the registry's own access log tells it.

    `namespace` is the value of the `ns` query parameter that containerd adds for mirrors;
    `user` is the authenticated user, empty for none; `response_bytes` is the body's size.
    """

    client: str
    method: str
    path: str
    namespace: str
    status: int
    response_bytes: int
    user: str
    user_agent: str


@runtime_checkable
class KeepsAccessLog(Protocol):
    """Ability of a registry: it tells which requests it has served."""

    def mark(self) -> float:
        """Return a position in the log: everything served from now on comes after it."""
        ...

    def requests_since(self, mark: float) -> tuple[Request, ...]:
        """Return all requests completed between `mark` and this call, none missing.

        A request of our own with a unique path is sent and waited for in the log, so that
        what was completed before this call is certain to be in the answer.
        """
        ...


@runtime_checkable
class CountsBytes(Protocol):
    """Ability of a registry: the bytes on its link can be counted."""

    def sent_bytes(self) -> int:
        """Return how much it has sent to anybody since it started, headers included."""
        ...


@runtime_checkable
class ReportsUsage(Protocol):
    """Ability of a registry: what it takes from its machine can be read."""

    def memory_bytes(self) -> int:
        """Return the memory that it holds now, page cache left out."""
        ...

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used since it was started."""
        ...

    def open_files(self) -> int:
        """Return how many file descriptors it holds now, connections among them."""
        ...
