"""Registries like another one: twins, and those that are restored from a backup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.registry.protocols.access import Registry


@dataclass(frozen=True)
class Backup:
    """A copy of a registry's configuration and storage, in a folder that only we may read.

    `storage` is a tar file. `started` is the monotonic clock's before the first byte was read,
    `duration_seconds` what it took to copy both.
    """

    configuration: Path
    storage: Path
    started: float
    duration_seconds: float


@runtime_checkable
class HasTwin(Protocol):
    """Ability of a registry: another one like it can be had, to try what may do harm."""

    def twin(self) -> AbstractContextManager[Registry]:
        """Run a registry with the same configuration and accounts on an empty storage.

        It is gone with all that it holds when the block ends; nodes do not find it.
        """
        ...


@runtime_checkable
class BacksUp(Protocol):
    """Ability of a registry: it can be copied while it runs, and restored from the copy."""

    def backed_up(self) -> AbstractContextManager[Backup]:
        """Copy configuration and storage while it runs; the copies go when the block ends."""
        ...

    def restored(self, backup: Backup) -> AbstractContextManager[Registry]:
        """Run another registry from a copy, in the place of this one until the block ends.

        Nodes reach the other one under the name of this one, which serves again at the end.
        Raises RegistryError when the other one does not answer anything.
        """
        ...
