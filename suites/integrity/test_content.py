"""Content: what was pushed is what the registry keeps and what every node holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, oci, workload
from harness.cluster.protocols import RuntimeAccess
from harness.diagnosis import FailureCode
from harness.lab import ability
from harness.pool import Pool
from harness.registry.protocols import ExposesStorage, Restarts

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull, Push
    from harness.cluster.protocols import Node
    from harness.findings import Finding
    from harness.lab import Lab
    from harness.workload import Published

LAYER_BYTES = 256 * 1024
PUSHERS = 8


def test_every_node_holds_the_pushed_bytes(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """Every blob of an image is on every node after a pull, byte for byte."""
    image = publish(lab.primary, layers=4, layer_bytes=LAYER_BYTES)
    judge(checks.all_succeeded(pull(image.reference, lab.primary.credentials)))
    judge(*(_held_content(node, image) for node in lab.nodes))


def test_registry_serves_the_pushed_bytes(lab: Lab, publish: Publish, judge: Judge) -> None:
    """The registry gives back every manifest and blob byte for byte."""
    image = publish(lab.primary, layers=4, layer_bytes=LAYER_BYTES)
    judge(workload.unserved(lab.primary, image))


def test_digest_names_one_image(
    lab: Lab, publish: Publish, push: Push, pull: Pull, judge: Judge
) -> None:
    """A pull by digest gives that image even after its tag was moved to another one."""
    registry = lab.primary
    pinned = publish(registry)
    moved = push(oci.image(), pinned.repository, registry)
    pulls = pull(pinned.by_digest, registry.credentials)
    judge(checks.all_succeeded(pulls), checks.is_image(pulls, pinned.image))
    by_tag = pull(moved.reference, registry.credentials)
    judge(checks.all_succeeded(by_tag), checks.is_image(by_tag, moved.image))


def test_deleted_manifest_is_gone(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """A deleted manifest can be pulled by no node any more, also by those that hold it."""
    registry = lab.primary
    image = publish(registry)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    workload.delete(registry, image)
    judge(checks.all_refused(pull(image.reference, registry.credentials), FailureCode.NOT_FOUND))


def test_corrupted_blob_is_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """No node accepts a layer whose bytes have changed in the registry's storage."""
    registry = lab.primary
    storage = ability(registry, ExposesStorage)
    image = publish(registry)
    layer = image.image.layers[0]
    changed = bytes([layer.content[0] ^ 0xFF]) + layer.content[1:]
    storage.overwrite_blob(layer.digest, changed)
    judge(checks.all_refused(pull(image.reference, registry.credentials), FailureCode.WRONG_BYTES))


@pytest.mark.exclusive
def test_content_survives_a_restart(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """A restart of the registry loses nothing that was pushed before."""
    registry = lab.primary
    restarting = ability(registry, Restarts)
    image = publish(registry, layers=2, layer_bytes=LAYER_BYTES)
    restarting.restart()
    judge(workload.unserved(lab.primary, image))
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))


def test_concurrent_pushes_of_shared_layers_are_all_whole(
    lab: Lab, push: Push, pull: Pull, judge: Judge
) -> None:
    """Images pushed at the same time that share layers are each complete afterwards."""
    registry = lab.primary
    base = oci.image(layers=3, layer_bytes=LAYER_BYTES)
    images = [oci.with_shared_layers(base, layer_bytes=LAYER_BYTES) for _ in range(PUSHERS)]
    repository = registry.spec.repository(workload.unique_repository("integrity"))

    def push_apart(image: oci.Image) -> Published:
        return push(image, f"{repository}/{image.digest[-8:]}", registry)

    with Pool(PUSHERS) as pool:
        pushed = list(pool.map(push_apart, images))
    judge(*(workload.unserved(lab.primary, image) for image in pushed))
    judge(checks.all_succeeded(pull(pushed[-1].reference, registry.credentials)))


def _held_content(node: Node, image: Published) -> tuple[Finding, ...]:
    """Find what a node does not hold, or with other bytes."""
    held = ability(node, RuntimeAccess).content_digests(image.digests)
    return checks.same_content(node.name, image.digests, held)
