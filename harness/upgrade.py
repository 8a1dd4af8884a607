"""Upgrades of any system: look at it, change it, look again; and what a registry shows of itself.

What there is to see, and how the change is made, is given by those who know the system.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import urlsplit

from harness import oci
from harness.distribution_api import DistributionAPI, UnexpectedStatusError
from harness.pool import Pool
from harness.snapshot import Entrance, ServedManifest, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from harness.distribution_api import Endpoint, Manifest
    from harness.registry.protocols import Registry
    from harness.snapshot import Place

_READERS: Final = 8

SystemT = TypeVar("SystemT")
SightT = TypeVar("SightT")


@dataclass(frozen=True)
class Changed(Generic[SystemT, SightT]):
    """A system after its change, and what was seen of it before and after."""

    system: SystemT
    before: SightT
    after: SightT


@contextmanager
def changed(
    system: SystemT,
    change: Callable[[SystemT], AbstractContextManager[SystemT]],
    look: Callable[[SystemT], SightT],
) -> Iterator[Changed[SystemT, SightT]]:
    """Look at a system, change it, and look again; the change ends with the block."""
    before = look(system)
    with change(system) as after:
        yield Changed(after, before, look(after))


def served(registry: Registry) -> Snapshot:
    """Read all that a registry serves: every repository, tag, manifest and blob.

    Raises RegistryError where it does not answer as it must.
    """
    api = registry.api()
    repositories = api.catalog()
    with Pool(_READERS) as pool:
        tags = pool.map(lambda repository: _tags(api, repository), repositories)
        places = [
            (repository, tag)
            for repository, found in zip(repositories, tags, strict=True)
            for tag in found
        ]
        read = _manifests(api, places, pool)
        blobs = sorted(
            {
                (repository, blob)
                for (repository, _), manifest in read.items()
                for blob in oci.links(manifest.content).blobs
            }
        )
        digests = list(pool.map(lambda place: _blob(api, place), blobs))
    return Snapshot(
        repositories=frozenset(repositories),
        manifests={
            place: ServedManifest(manifest.digest, manifest.media_type)
            for place, manifest in read.items()
        },
        blobs={place: digest for place, digest in zip(blobs, digests, strict=True) if digest},
    )


def entrance(endpoint: Endpoint) -> Entrance:
    """Ask as somebody without an account. Raises RegistryError where nobody answers."""
    ping = DistributionAPI(endpoint).ping()
    return Entrance(urlsplit(endpoint.base_url).scheme, ping.status)


def _manifests(api: DistributionAPI, places: Iterable[Place], pool: Pool) -> dict[Place, Manifest]:
    """Read the manifests at `places` and all that indexes among them name."""
    found: dict[Place, Manifest] = {}
    asked: set[Place] = set()
    wanted = set(places)
    while wanted:
        asked |= wanted
        answers = zip(wanted, pool.map(lambda place: _manifest(api, place), wanted), strict=True)
        new = {place: manifest for place, manifest in answers if manifest is not None}
        found |= new
        wanted = {
            (repository, child)
            for (repository, _), manifest in new.items()
            for child in oci.links(manifest.content).manifests
        } - asked
    return found


def _tags(api: DistributionAPI, repository: str) -> tuple[str, ...]:
    """Return a repository's tags; one whose tags were all deleted may not be found at all."""
    try:
        return api.tags(repository)
    except UnexpectedStatusError:
        return ()


def _manifest(api: DistributionAPI, place: Place) -> Manifest | None:
    try:
        return api.manifest(*place)
    except UnexpectedStatusError:
        return None


def _blob(api: DistributionAPI, place: Place) -> str:
    try:
        return api.blob(*place).digest
    except UnexpectedStatusError:
        return ""
