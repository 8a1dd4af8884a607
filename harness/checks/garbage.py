"""Judges garbage collections: what had to stay, what had to go, and what was said of it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from harness.registry import protocols
    from harness.registry.protocols import Storage

# What tells a client that it may not write now; anything else looks like a broken registry.
_CLEAR = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Write:
    """An attempt to push: the status of the answer, 0 where there was none, and its words."""

    status: int
    words: str


def nothing_lost(host: str, live: Iterable[str], after: Storage) -> tuple[Finding, ...]:
    """Find digests that are in use and not in the storage. Raises Inconclusive without any."""
    wanted = sorted(live)
    if not wanted:
        raise Inconclusive("nothing was in use: nothing could be lost")
    return tuple(
        Finding(
            Code.LOST_CONTENT,
            host,
            f"{digest} is in use and gone from the storage",
            "stop writes while garbage is collected, and restore this blob from a backup",
        )
        for digest in wanted
        if digest not in after.blobs
    )


def garbage_gone(host: str, garbage: Iterable[str], after: Storage) -> tuple[Finding, ...]:
    """Find digests that nobody uses and that still take space after a collection."""
    return tuple(
        Finding(
            Code.SPACE_KEPT,
            host,
            f"nobody uses {digest}, which still takes {after.blobs[digest]} bytes",
            "look into the collection's output for what it marks, and why",
        )
        for digest in sorted(garbage)
        if digest in after.blobs
    )


def has_tags(host: str, expected: Collection[str], listed: Collection[str]) -> tuple[Finding, ...]:
    """Find tags that a repository must have and has not, or has and must not have.

    Raises Inconclusive where none is expected.
    """
    if not expected:
        raise Inconclusive("no tag was to be kept: none could be lost")
    lost = (
        Finding(
            Code.LOST_CONTENT,
            host,
            f"tag {tag} is to be kept and is gone",
            "look for another cleaner, and delete no manifest that a kept tag names",
        )
        for tag in sorted(set(expected) - set(listed))
    )
    left = (
        Finding(Code.SPACE_KEPT, host, f"tag {tag} is to be removed and is still there")
        for tag in sorted(set(listed) - set(expected))
    )
    return (*lost, *left)


def ended_well(host: str, collection: protocols.Collection) -> tuple[Finding, ...]:
    """Find a collection that failed."""
    if not collection.failure:
        return ()
    remedy = "run the collection by hand and read what it prints"
    return (Finding(Code.COLLECTION, host, collection.failure, remedy),)


def did_as_told(
    host: str, collection: protocols.Collection, before: Storage, after: Storage
) -> tuple[Finding, ...]:
    """Find where a collection failed, or where the storage tells another story than it does."""
    if failed := ended_well(host, collection):
        return failed
    gone = before.blobs.keys() - after.blobs.keys()
    words = {
        "it says that it deleted {}, which is still there": collection.blobs & after.blobs.keys(),
        "{} is gone, which it did not tell": gone - collection.blobs,
    }
    return tuple(
        Finding(
            Code.COLLECTION,
            host,
            sentence.format(digest),
            "trust the size of the storage, not what the collection says",
        )
        for sentence, digests in words.items()
        for digest in sorted(digests)
    )


def writes_refused(host: str, writes: Sequence[Write]) -> tuple[Finding, ...]:
    """Find pushes that were taken, or refused as if the registry were broken.

    Raises Inconclusive when nobody tried.
    """
    if not writes:
        raise Inconclusive("nobody tried to push")
    return tuple(_unrefused(host, write) for write in writes if write.status not in _CLEAR)


def _unrefused(host: str, write: Write) -> Finding:
    if HTTPStatus.OK <= write.status < HTTPStatus.MULTIPLE_CHOICES:
        return Finding(
            Code.WRITE_ACCEPTED,
            host,
            f"a push was taken while writes were to be stopped: {write.words}",
            "set storage.maintenance.readonly.enabled and restart every replica",
        )
    return Finding(
        Code.WRONG_REASON,
        host,
        f"a push was not refused in words that clients understand: {write.words}",
        "let the registry answer 405 while it takes no writes, and keep it reachable",
    )
