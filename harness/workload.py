"""Pushes and pulls as checks do them: unique images, all nodes at once."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness import checks, oci
from harness.diagnosis import diagnose
from harness.distribution_api import UnexpectedStatusError
from harness.errors import RegistryError
from harness.findings import Code, Finding, NotVerified
from harness.history import Operation, Outcome
from harness.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.protocols import Node, Pull
    from harness.distribution_api import DistributionAPI
    from harness.oci import Image
    from harness.registry.protocols import Registry, Storage
    from harness.secret import Credentials

TAG = "v1"
CLIENT = "client"
"""Who pushes, in the history."""
_READERS = 8
# Deletion is switched off, or is not for this account.
_KEEPS = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True)
class Published:
    """An image in a registry, under a repository of its own."""

    host: str
    repository: str
    image: Image
    tag: str = TAG

    @property
    def reference(self) -> str:
        """The reference by which nodes pull it."""
        return self.at(self.host)

    def at(self, host: str) -> str:
        """Return its reference as if another host held it: an origin, an undeclared name."""
        return f"{host}/{self.repository}:{self.tag}"

    @property
    def by_digest(self) -> str:
        """The reference that no tag can move away from it."""
        return f"{self.host}/{self.repository}@{self.image.digest}"

    @property
    def digests(self) -> tuple[str, ...]:
        """Digests of all its blobs and of its manifest: what a node must hold after a pull."""
        return (
            self.image.digest,
            self.image.config.digest,
            *(layer.digest for layer in self.image.layers),
        )


def unique_repository(prefix: str) -> str:
    """Return a repository name that no other check and no other run uses."""
    return f"{prefix}/{secrets.token_hex(6)}"


def publish(registry: Registry, image: Image, *, repository: str, tag: str = TAG) -> Published:
    """Push an image; complete in the registry when this returns. Raises RegistryError."""
    registry.api().push(image, repository, tag)
    return Published(registry.host, repository, image, tag)


def withdraw(registry: Registry, published: Published) -> None:
    """Delete an image as far as the registry lets us; its blobs go when it collects garbage.

    One that is gone already, or that we may not delete, is no error.
    """
    with suppress(UnexpectedStatusError):
        registry.api().delete_manifest(published.repository, published.image.digest)


def delete(registry: Registry, published: Published) -> None:
    """Delete an image with all its tags. Raises NotVerified where we may delete nothing."""
    delete_manifest(registry, published.repository, published.image.digest)


def delete_manifest(registry: Registry, repository: str, digest: str) -> None:
    """Delete a manifest with all its tags. Raises NotVerified where we may delete nothing."""
    try:
        registry.api().delete_manifest(repository, digest)
    except UnexpectedStatusError as error:
        if error.status not in _KEEPS:
            raise
        raise NotVerified(f"{registry.host} allows no deletions: {error.problem}") from error


def unserved(registry: Registry, published: Published) -> tuple[Finding, ...]:
    """Find what a registry does not give back of an image, or with other bytes."""
    return unserved_by(registry.host, registry.api(), published)


def unserved_by(subject: str, api: DistributionAPI, published: Published) -> tuple[Finding, ...]:
    """Find what a client does not get of an image, or with other bytes; `subject` is to blame."""
    found: list[Finding] = []
    for digest in published.digests:
        read = api.manifest if digest == published.image.digest else api.blob
        try:
            served = read(published.repository, digest).digest
        except RegistryError as error:
            evidence = f"it does not give back {digest}: {error.problem}"
            found.append(Finding(Code.LOST_CONTENT, subject, evidence))
        else:
            found += checks.same_content(subject, [digest], {digest: served})
    return tuple(found)


def in_use(registry: Registry, storage: Storage) -> frozenset[str]:
    """Return the digests of all stored manifests, tagged or not, and of all that they name.

    One that is stored and not served is in nobody's use. Raises RegistryError.
    """
    api = registry.api()

    def named(place: tuple[str, str]) -> tuple[str, ...]:
        try:
            manifest = api.manifest(*place)
        except UnexpectedStatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return ()
        return (manifest.digest, *oci.links(manifest.content).blobs)

    with Pool(_READERS) as pool:
        return frozenset(digest for found in pool.map(named, storage.manifests) for digest in found)


def pull_on(
    nodes: Sequence[Node], reference: str, credentials: Credentials | None
) -> tuple[Pull, ...]:
    """Pull one image on all nodes at once; the answers stand in the order of the nodes."""
    with Pool(len(nodes)) as pool:
        return tuple(pool.map(lambda node: node.pull(reference, credentials), nodes))


def push_once(
    api: DistributionAPI, image: Image, repository: str, *, host: str, chunk_bytes: int = 0
) -> Operation:
    """Push an image as a client does, in one attempt; a refusal is an outcome, no exception.

    Unless the registry itself refused, the outcome of a failed push is unknown: it may have landed.
    """
    outcome, cause, evidence = Outcome.OK, "", ""
    started, begin = time.time(), time.perf_counter()
    try:
        api.push(image, repository, TAG, chunk_bytes=chunk_bytes)
    except UnexpectedStatusError as error:
        outcome, cause = Outcome.FAILED, error.diagnosis.code
        evidence = f"{error.problem}: {error.diagnosis.evidence}"
    except RegistryError as error:
        outcome, evidence = Outcome.UNKNOWN, error.problem
        cause = diagnose(error.problem).code
    duration = time.perf_counter() - begin
    return Operation(
        kind="push",
        actor=CLIENT,
        reference=f"{host}/{repository}:{TAG}",
        started=started,
        ended=started + duration,
        duration_seconds=duration,
        outcome=outcome,
        digest=image.digest,
        transferred_bytes=image.size,
        cause=cause,
        evidence=evidence,
    )


def as_operation(pull: Pull, transferred_bytes: int = 0) -> Operation:
    """Turn a pull into a line of the history."""
    failure = pull.failure
    return Operation(
        kind="pull",
        actor=pull.node,
        reference=pull.reference,
        started=pull.started,
        ended=pull.ended,
        duration_seconds=pull.duration_seconds,
        outcome=Outcome.OK if failure is None else Outcome.FAILED,
        digest=pull.image_id or "",
        transferred_bytes=transferred_bytes,
        cause="" if failure is None else failure.code,
        evidence="" if failure is None else failure.evidence,
    )
