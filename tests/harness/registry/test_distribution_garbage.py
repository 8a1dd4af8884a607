from __future__ import annotations

import pytest

from harness.command import Completed
from harness.registry import distribution_garbage as garbage

OUTPUT = b"""\
app/one
app/one: marking manifest sha256:aa
app/one: marking blob sha256:bb

2 blobs marked, 2 blobs and 1 manifests eligible for deletion
blob eligible for deletion: sha256:cc
blob eligible for deletion: sha256:dd
"""

GNU = """\
/var/lib/registry:
total 4
drwxr-xr-x 3 0 0 4096 Nov 26 10:26 docker

/var/lib/registry/docker/registry/v2/blobs/sha256/45:
total 4
drwxr-xr-x 2 0 0 4096 Nov 26 10:26 4539

/var/lib/registry/docker/registry/v2/blobs/sha256/45/4539:
total 4
-rw-r--r-- 1 0 0 2560 Nov 26 10:26 data

/var/lib/registry/docker/registry/v2/repositories/app/one/_layers/sha256/4539:
total 4
-rw-r--r-- 1 0 0 71 Nov 26 10:26 link

/var/lib/registry/docker/registry/v2/repositories/app/one/_manifests/revisions/sha256/4539:
total 4
-rw-r--r-- 1 0 0 71 Nov 26 10:26 link

/var/lib/registry/docker/registry/v2/repositories/app/one/_uploads/8bc7:
total 8
-rw-r--r-- 1 0 0 1000 Nov 26 10:26 data
-rw-r--r-- 1 0 0 20 Nov 26 10:26 startedat
"""
BUSYBOX = GNU.replace("-rw-r--r-- 1 0 0 ", "-rw-r--r--    1 0        0             ")


def test_collection_tells_what_it_deleted() -> None:
    collection = garbage.collection(Completed(0, OUTPUT, "Deleting blob: sha256/cc"))

    assert collection.blobs == {"sha256:cc", "sha256:dd"}
    assert collection.failure == ""


def test_failed_collection_shows_its_last_words() -> None:
    done = Completed(1, b"app/one\n", "failed to garbage collect: failed to mark")

    failure = garbage.collection(done).failure

    assert failure.startswith("exit status 1: app/one")
    assert failure.endswith("failed to mark")


@pytest.mark.parametrize("listing", [GNU, BUSYBOX], ids=["coreutils", "busybox"])
def test_storage_is_read_from_a_listing(listing: str) -> None:
    storage = garbage.storage(listing)

    assert storage.blobs == {"sha256:4539": 2560}
    assert storage.manifests == {("app/one", "sha256:4539")}
    assert storage.uploads == {"app/one/8bc7": 1000}
