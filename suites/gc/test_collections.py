"""Garbage collection as the registry documents it: writes stopped, collected, writes resumed.

Distribution deletes nothing but blobs that no manifest names. Uploads that nobody has finished
are none of its business: `uploadpurging` removes them, after a week unless it is told otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, oci, workload
from harness.distribution_api import UnexpectedStatusError
from harness.errors import RegistryError
from harness.findings import Code, Finding
from harness.lab import ability
from harness.pool import Pool
from harness.registry.protocols import CollectsGarbage, ListsStorage
from harness.workload import TAG, Published

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull, Push
    from harness.lab import Lab
    from harness.registry.protocols import Collection, Registry

pytestmark = pytest.mark.exclusive

LAYER_BYTES = 256 * 1024
PUSHERS = 2


@pytest.mark.failure_modes(22)
def test_live_content_survives_a_collection(
    lab: Lab, publish: Publish, push: Push, pull: Pull, judge: Judge
) -> None:
    """Shared layers, images of an index and unfinished uploads outlive a collection."""
    registry = lab.primary
    collecting, storage = ability(registry, CollectsGarbage), ability(registry, ListsStorage)
    base = publish(registry, layers=2)
    heir = push(oci.with_shared_layers(base.image), f"{base.repository}/heir", registry)
    workload.delete(registry, base)
    index = _publish_broken_index(registry, f"{base.repository}/index")
    upload, halves = registry.api().start_upload(base.repository), (b"first half", b"second half")
    location = registry.api().send_chunk(upload.location, halves[0], 0)
    live = workload.in_use(registry, storage.stored())
    judge(checks.ended_well(registry.host, _collect(collecting)))
    judge(checks.nothing_lost(registry.host, live, storage.stored()))
    judge(*(workload.unserved(registry, image) for image in (heir, *index)))
    judge(_finish(registry, base.repository, location, halves))
    judge(checks.all_succeeded(pull(heir.reference, registry.credentials)))


@pytest.mark.failure_modes(23)
def test_garbage_gives_its_space_back(lab: Lab, publish: Publish, judge: Judge) -> None:
    """What nobody uses is gone after a collection, as it says, and as its dry run foretold."""
    registry = lab.primary
    collecting, storage = ability(registry, CollectsGarbage), ability(registry, ListsStorage)
    garbage = publish(registry, layers=2, layer_bytes=LAYER_BYTES)
    workload.delete(registry, garbage)
    before = storage.stored()
    with collecting.writes_stopped():
        foretold = collecting.collect_garbage(dry_run=True)
        judge(checks.nothing_lost(registry.host, before.blobs, storage.stored()))
        collection = collecting.collect_garbage()
    after = storage.stored()
    judge(
        checks.did_as_told(registry.host, foretold, before, after),
        checks.did_as_told(registry.host, collection, before, after),
        checks.garbage_gone(registry.host, garbage.digests, after),
    )


@pytest.mark.failure_modes(24)
def test_image_pushed_again_after_a_collection_is_whole(
    lab: Lab, publish: Publish, push: Push, pull: Pull, judge: Judge
) -> None:
    """An image that was deleted, collected and pushed again is pulled by nodes without it."""
    registry = lab.primary
    collecting = ability(registry, CollectsGarbage)
    image = publish(registry)
    workload.delete(registry, image)
    judge(checks.ended_well(registry.host, _collect(collecting)))
    again = push(image.image, image.repository, registry)
    judge(workload.unserved(registry, again))
    judge(checks.all_succeeded(pull(again.reference, registry.credentials)))


@pytest.mark.failure_modes(22)
def test_pushes_are_refused_and_pulls_go_on_during_a_collection(
    lab: Lab, publish: Publish, push: Push, pull: Pull, judge: Judge
) -> None:
    """While garbage is collected nodes pull and pushes are refused; none is half taken."""
    registry = lab.primary
    collecting = ability(registry, CollectsGarbage)
    image = publish(registry, layers=2, layer_bytes=LAYER_BYTES)
    caught = Published(registry.host, f"{image.repository}/caught", oci.image())
    for blob in (*caught.image.layers, caught.image.config):
        registry.api().push_blob(caught.repository, blob)
    with collecting.writes_stopped(), Pool(PUSHERS + 2) as pool:
        collection = pool.submit(collecting.collect_garbage)
        pulls = pool.submit(pull, image.reference, registry.credentials)
        writes = [pool.submit(_try_to_push, registry, caught) for _ in range(PUSHERS)]
    judge(checks.writes_refused(registry.host, [write.result() for write in writes]))
    judge(checks.ended_well(registry.host, collection.result()))
    judge(_whole_or_refused(registry, caught), workload.unserved(registry, image))
    judge(checks.all_succeeded(pulls.result()))
    late = push(caught.image, caught.repository, registry)
    judge(checks.all_succeeded(pull(late.reference, registry.credentials)))


def _collect(collecting: CollectsGarbage) -> Collection:
    """Collect garbage in the way that is safe."""
    with collecting.writes_stopped():
        return collecting.collect_garbage()


def _publish_broken_index(registry: Registry, repository: str) -> tuple[Published, ...]:
    """Push an index of three images, delete one of them, and return what is left.

    The images have no tags: only the index names them. Registries take an index only while
    they hold all its images.
    """
    index = oci.index([oci.image() for _ in range(3)])
    registry.api().push(index, repository, TAG)
    *left, lost = (Published(registry.host, repository, image) for image in index.images)
    workload.delete(registry, lost)
    return tuple(left)


def _finish(
    registry: Registry, repository: str, location: str, halves: tuple[bytes, bytes]
) -> tuple[Finding, ...]:
    """Find an upload that cannot be finished, or that has lost what it had sent before."""
    api, digest = registry.api(), oci.sha256_digest(b"".join(halves))
    try:
        api.finish_upload(location, digest, halves[1])
        served = api.blob(repository, digest).digest
    except RegistryError as error:
        evidence = f"an upload begun before the collection cannot be finished: {error.problem}"
        return (Finding(Code.LOST_CONTENT, registry.host, evidence),)
    return checks.same_content(registry.host, [digest], {digest: served})


def _try_to_push(registry: Registry, beside: Published) -> checks.Write:
    """Push an image that the registry must refuse now."""
    try:
        pushed = registry.api().push(oci.image(), f"{beside.repository}/refused", TAG)
    except UnexpectedStatusError as error:
        return checks.Write(error.status, error.problem)
    except RegistryError as error:
        return checks.Write(0, error.problem)
    return checks.Write(201, pushed)


def _whole_or_refused(registry: Registry, caught: Published) -> tuple[Finding, ...]:
    """Complete a push that the collection has caught half-way: refused it may be, not broken."""
    try:
        registry.api().put_manifest(caught.image.manifest, caught.repository, TAG)
    except UnexpectedStatusError:
        return ()
    return workload.unserved(registry, caught)
