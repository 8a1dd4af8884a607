"""What a registry serves at one moment, as data that can be compared; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A repository, and a tag or digest in it.
Place = tuple[str, str]


@dataclass(frozen=True)
class ServedManifest:
    """What a registry served as a manifest: the digest of its bytes, and how it called it."""

    digest: str
    media_type: str


@dataclass(frozen=True)
class Snapshot:
    """All that a registry serves to its own account.

    `manifests` are those under all tags, and by their digests all that indexes name. `blobs`
    are those that these manifests name, each with the digest of the bytes that were served.
    What it does not serve is absent.
    """

    repositories: frozenset[str]
    manifests: Mapping[Place, ServedManifest]
    blobs: Mapping[Place, str]


@dataclass(frozen=True)
class Entrance:
    """How a registry answers somebody without an account: scheme and status of `GET /v2/`."""

    scheme: str
    status: int
