"""What Distribution's garbage collection and its storage folder tell; pure.

The collection prints one line for each blob that is to go (`registry/storage/garbagecollect.go`);
the folder is laid out as `registry/storage/paths.go` says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.registry.protocols import Collection, Storage

if TYPE_CHECKING:
    from harness.command import Completed

_BLOB: Final = re.compile(r"blob eligible for deletion: (\S+)")
_SHOWN_CHARACTERS: Final = 500

_STORED_BLOB: Final = re.compile(r".*/v2/blobs/([^/]+)/[^/]+/([^/]+)/data")
_STORED_MANIFEST: Final = re.compile(
    r".*/v2/repositories/(.+)/_manifests/revisions/([^/]+)/([^/]+)/link"
)
_STORED_UPLOAD: Final = re.compile(r".*/v2/repositories/(.+)/_uploads/([^/]+)/data")


def collection(done: Completed) -> Collection:
    """Return what a collection says that it has deleted, or why it failed."""
    ends = f"{done.text[-_SHOWN_CHARACTERS:]}{done.stderr[-_SHOWN_CHARACTERS:]}"
    return Collection(
        blobs=frozenset(_BLOB.findall(done.text)),
        failure=f"exit status {done.status}: {ends.strip()}" if done.status else "",
    )


def storage(listing: str) -> Storage:
    """Read what `ls -lnRA` lists of the storage folder: of GNU coreutils or of busybox."""
    blobs: dict[str, int] = {}
    manifests: set[tuple[str, str]] = set()
    uploads: dict[str, int] = {}
    folder = ""
    for line in listing.splitlines():
        if line.endswith(":"):
            folder = line[:-1]
        if not line.startswith("-"):
            continue
        fields = line.split()
        path, size = f"{folder}/{fields[-1]}", int(fields[4])
        if found := _STORED_BLOB.fullmatch(path):
            blobs[":".join(found.groups())] = size
        elif found := _STORED_MANIFEST.fullmatch(path):
            repository, *digest = found.groups()
            manifests.add((repository, ":".join(digest)))
        elif found := _STORED_UPLOAD.fullmatch(path):
            uploads["/".join(found.groups())] = size
    return Storage(blobs, frozenset(manifests), uploads)
