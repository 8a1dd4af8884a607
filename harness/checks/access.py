"""Judges who is let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping


def same_access(
    host: str, before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[Finding, ...]:
    """Find who gets another status than before; both map people to the status they get."""
    return tuple(
        Finding(
            Code.ACCESS,
            host,
            f"{people} got {status} before and {after[people]} after",
            "copy the accounts and the configuration that names them, not the storage alone",
        )
        for people, status in before.items()
        if after[people] != status
    )
