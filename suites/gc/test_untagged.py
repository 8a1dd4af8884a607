"""What only a registry of its own may go through: untagged manifests taken, writes not stopped.

Distribution 2.8 takes the images of a tagged index for untagged, because only the index names
them (distribution/distribution#3178): there the dry run is the only warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, oci
from harness.findings import Inconclusive
from harness.lab import ability
from harness.registry.protocols import CollectsGarbage, HasTwin, ListsStorage
from harness.workload import TAG, unique_repository, unserved

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Push
    from harness.lab import Lab

pytestmark = pytest.mark.exclusive


def test_untagged_manifests_go_when_asked_and_as_foretold(
    lab: Lab, push: Push, judge: Judge
) -> None:
    """Manifests without a tag stay until they are asked for, and the dry run names all that go."""
    repository = unique_repository("gc")
    with ability(lab.primary, HasTwin).twin() as twin:
        collecting, storage = ability(twin, CollectsGarbage), ability(twin, ListsStorage)
        untagged = push(oci.image(), repository, twin)
        tagged = push(oci.with_shared_layers(untagged.image), repository, twin)
        twin.api().push(oci.index([oci.image(), oci.image()]), f"{repository}/index", TAG)
        with collecting.writes_stopped():
            kept = storage.stored()
            unasked = collecting.collect_garbage()
            judge(checks.nothing_lost(twin.host, kept.blobs, storage.stored()))
            foretold = collecting.collect_garbage(delete_untagged=True, dry_run=True)
            asked = collecting.collect_garbage(delete_untagged=True)
        after = storage.stored()
        judge(*(checks.ended_well(twin.host, each) for each in (unasked, foretold, asked)))
        own = {untagged.image.digest, untagged.image.config.digest}
        judge(checks.garbage_gone(twin.host, own, after))
        judge(checks.did_as_told(twin.host, foretold, kept, after))
        judge(unserved(twin, tagged))


@pytest.mark.failure_modes(22)
def test_collection_beside_a_push_is_seen_to_lose_content(
    lab: Lab, push: Push, judge: Judge
) -> None:
    """Writes not stopped, a push loses what it has sent: the control of all that is called safe."""
    repository, caught = unique_repository("gc"), oci.image()
    with ability(lab.primary, HasTwin).twin() as twin:
        collecting, storage = ability(twin, CollectsGarbage), ability(twin, ListsStorage)
        push(oci.image(), repository, twin)
        for blob in (*caught.layers, caught.config):
            twin.api().push_blob(repository, blob)
        before = storage.stored()
        collection = collecting.collect_garbage()
        after = storage.stored()
        judge(checks.did_as_told(twin.host, collection, before, after))
        sent = (caught.config.digest, *(layer.digest for layer in caught.layers))
        if not checks.nothing_lost(twin.host, sent, after):
            raise Inconclusive("an unsafe collection lost nothing, so no loss was ever seen")
