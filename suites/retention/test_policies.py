"""Retention through the registry's API: for registries that have no policies of their own.

What a policy means is planned by `harness/retention.py`; the registry deletes by digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness import checks, oci, workload
from harness.diagnosis import FailureCode
from harness.lab import ability
from harness.registry.protocols import CollectsGarbage, ListsStorage
from harness.retention import Plan, Policy, plan

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Pull, Push
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published

POLICY = Policy(newest=2, patterns=("release-*",))


@dataclass(frozen=True)
class Shelf:
    """A repository whose tags the policy tells apart, and what it means for them.

    The first build is a release as well, so that it cannot go; an index that goes and a build
    that stays share an image. `removed` is an image that has to go.
    """

    repository: str
    planned: Plan
    kept: tuple[Published, ...]
    removed: Published


def test_kept_tags_are_pulled_and_removed_ones_are_gone(
    lab: Lab, push: Push, pull: Pull, judge: Judge
) -> None:
    """Nodes pull what the policy keeps, under each of its tags, and nothing that it does not."""
    registry = lab.primary
    shelf = _stock(registry, push)
    _clean(registry, shelf)
    left = shelf.planned.kept | shelf.planned.spared
    judge(checks.has_tags(registry.host, left, registry.api().tags(shelf.repository)))
    for image in shelf.kept:
        pulls = pull(image.reference, registry.credentials)
        judge(checks.all_succeeded(pulls), checks.is_image(pulls, image.image))
    gone = pull(shelf.removed.reference, registry.credentials)
    judge(checks.all_refused(gone, FailureCode.NOT_FOUND))


@pytest.mark.exclusive
def test_collection_returns_what_retention_removed(lab: Lab, push: Push, judge: Judge) -> None:
    """After a collection the layers of removed images take no space, and kept ones are whole."""
    registry = lab.primary
    collecting, storage = ability(registry, CollectsGarbage), ability(registry, ListsStorage)
    shelf = _stock(registry, push)
    _clean(registry, shelf)
    with collecting.writes_stopped():
        judge(checks.ended_well(registry.host, collecting.collect_garbage()))
    judge(*(workload.unserved(registry, image) for image in shelf.kept))
    in_use = {digest for image in shelf.kept for digest in image.digests}
    garbage = set(shelf.removed.digests) - in_use
    judge(checks.garbage_gone(registry.host, garbage, storage.stored()))


def _stock(registry: Registry, push: Push) -> Shelf:
    """Push what the policy tells apart; all builds begin with the layers of the first."""
    repository = registry.spec.repository(workload.unique_repository("retention"))
    first = push(oci.image(), repository, registry, tag="build-1")
    registry.api().put_manifest(first.image.manifest, repository, "release-1")
    builds = [
        push(oci.with_shared_layers(first.image), repository, registry, tag=f"build-{number}")
        for number in (2, 3, 4)
    ]
    index = oci.index([oci.image(), builds[-1].image])
    registry.api().push(index, repository, "multi-1")
    tags = {
        "multi-1": index.digest,
        "release-1": first.image.digest,
        **{each.tag: each.image.digest for each in (first, *builds)},
    }
    images = (*index.images, *(each.image for each in (first, *builds)))
    manifests = (index.manifest, *(each.manifest for each in images))
    held = {each.digest: each.content for each in manifests}
    return Shelf(repository, plan(POLICY, tags, held), (first, *builds[1:]), builds[0])


def _clean(registry: Registry, shelf: Shelf) -> None:
    """Delete what the policy does not keep."""
    for digest in shelf.planned.deleted:
        workload.delete_manifest(registry, shelf.repository, digest)
