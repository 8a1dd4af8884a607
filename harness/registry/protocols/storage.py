"""What a registry stores: listed, collected, and touched behind its back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager


@dataclass(frozen=True)
class Collection:
    """A garbage collection as it tells of itself.

    `blobs` are the digests that it deleted, or would have deleted in a dry run; manifests are
    blobs too. `failure` is empty where it ended well.
    """

    blobs: frozenset[str]
    failure: str


@dataclass(frozen=True)
class Storage:
    """What a registry's storage holds, whatever the registry says of it; sizes in bytes.

    `blobs` maps digests to sizes, manifests are among them; `manifests` are repositories with
    the digests of the manifests that they hold, tagged or not; `uploads` maps uploads that
    nobody has finished, `repository/id`, to what they have sent so far.
    """

    blobs: Mapping[str, int]
    manifests: frozenset[tuple[str, str]]
    uploads: Mapping[str, int]


@runtime_checkable
class CollectsGarbage(Protocol):
    """Ability of a registry: blobs that no manifest names can be removed."""

    def writes_stopped(self) -> AbstractContextManager[None]:
        """Serve pulls and refuse everything else until the block ends; healthy at both ends."""
        ...

    def collect_garbage(
        self, *, delete_untagged: bool = False, dry_run: bool = False
    ) -> Collection:
        """Collect garbage now; safe only while writes are stopped.

        `delete_untagged` also takes manifests without a tag, `dry_run` removes nothing.
        """
        ...


@runtime_checkable
class ListsStorage(Protocol):
    """Ability of a registry: what its storage holds can be listed without asking it."""

    def stored(self) -> Storage:
        """Return what the storage holds now."""
        ...


@runtime_checkable
class ExposesStorage(Protocol):
    """Ability of a registry: its stored files can be read and written behind its back."""

    @property
    def storage_folder(self) -> str:
        """The folder in which its containers see its storage."""
        ...

    def read_blob(self, digest: str) -> bytes | None:
        """Return a blob's bytes from the storage, None where there is none."""
        ...

    def overwrite_blob(self, digest: str, content: bytes) -> None:
        """Replace a blob's bytes in the storage, whatever its digest says."""
        ...
