"""Reads all that a registry serves of a repository, following what manifests name."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from harness import oci
from harness.distribution_api import UnexpectedStatusError
from harness.registry.inventory_model import Inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.distribution_api import DistributionAPI
    from harness.registry.protocols import Registry

T = TypeVar("T")


def read_inventory(registry: Registry, repository: str) -> Inventory:
    """Read every manifest and blob of a repository to its end; one without tags is empty.

    Raises RegistryError when the registry cannot be asked.
    """
    reading = _Reading(registry.api(), repository)
    for tag in _tags(reading.api, repository):
        reading.follow_tag(tag)
    return Inventory(
        host=registry.host,
        repository=repository,
        tags=reading.tags,
        held=reading.held,
        missing=frozenset(reading.missing),
        referrers=reading.referrers,
    )


class _Reading:
    """What has been found so far."""

    def __init__(self, api: DistributionAPI, repository: str) -> None:
        self.api = api
        self.repository = repository
        self.tags: dict[str, str] = {}
        self.held: dict[str, str] = {}
        self.missing: set[str] = set()
        self.referrers: dict[str, frozenset[str]] = {}

    def follow_tag(self, tag: str) -> None:
        """Read what a tag names; one that has gone meanwhile is none."""
        manifest = _unless_gone(lambda: self.api.manifest(self.repository, tag))
        if manifest is not None:
            self.tags[tag] = manifest.digest
            self._hold(manifest.digest, manifest.content, manifest.digest)

    def _follow(self, digest: str) -> None:
        if digest in self.held or digest in self.missing:
            return
        manifest = _unless_gone(lambda: self.api.manifest(self.repository, digest))
        if manifest is None:
            self.missing.add(digest)
        else:
            self._hold(digest, manifest.content, manifest.digest)

    def _hold(self, wanted: str, content: bytes, found: str) -> None:
        if wanted in self.held:
            return
        self.held[wanted] = found
        links = oci.links(content)
        for blob in links.blobs:
            self._read_blob(blob)
        referring = self.api.referrers(self.repository, wanted)
        if referring:
            self.referrers[wanted] = frozenset(referring)
        for digest in (*links.manifests, *referring):
            self._follow(digest)

    def _read_blob(self, digest: str) -> None:
        if digest in self.held or digest in self.missing:
            return
        read = _unless_gone(lambda: self.api.blob(self.repository, digest))
        if read is None:
            self.missing.add(digest)
        else:
            self.held[digest] = read.digest


def _tags(api: DistributionAPI, repository: str) -> tuple[str, ...]:
    return _unless_gone(lambda: api.tags(repository)) or ()


def _unless_gone(read: Callable[[], T]) -> T | None:
    """Return what a registry gives, None where it says that it has no such thing."""
    try:
        return read()
    except UnexpectedStatusError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None
