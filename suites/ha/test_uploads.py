"""Replicas are one registry: what one begins or keeps, the others finish and serve alike."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from fixtures.workload import accepted
from harness import checks, oci, workload
from harness.errors import RegistryError
from harness.faults.containers import Killed
from harness.faults.fault import injected
from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.drill import Drill
    from fixtures.workload import Publish, Pull
    from harness.registry.protocols import Server

LAYER_BYTES = 64 * 1024
KILLED_SECONDS = 30.0


@pytest.mark.failure_modes(15)
def test_upload_goes_on_at_any_replica(drill: Drill) -> None:
    """An upload whose parts reach different replicas is kept, in whatever order they do."""
    orders = product(drill.replicas, repeat=3)
    drill.judge(
        finding for order in orders if len(set(order)) > 1 for finding in _uploaded(drill, *order)
    )


@pytest.mark.failure_modes(13)
def test_upload_stays_behind_the_load_balancer(drill: Drill) -> None:
    """The address that a replica gives for an upload, or for its next chunk, is the registry's."""
    registry = drill.registry
    repository = registry.spec.repository(workload.unique_repository("ha"))
    found: list[Finding] = []
    for replica in drill.replicas:
        location = replica.api().start_upload(repository).location
        found += checks.stays_put(registry.host, registry.spec.secure, location)
    drill.judge(found)


@pytest.mark.failure_modes(29)
def test_blobs_come_from_where_nodes_reach(drill: Drill, publish: Publish, pull: Pull) -> None:
    """Where a replica sends readers of blobs elsewhere, every node reaches that place, by TLS."""
    registry = drill.registry
    image = publish(registry)
    layer = image.image.layers[0].digest
    redirects = {each.name: each.api().redirect(image.repository, layer) for each in drill.replicas}
    drill.judge(
        *(checks.keeps_tls(name, registry.spec.secure, to) for name, to in redirects.items()),
        checks.all_succeeded(pull(image.reference, registry.credentials)),
    )


def test_content_is_the_same_at_each_replica(drill: Drill, publish: Publish) -> None:
    """Every image that was pushed to the registry is served by each replica, byte for byte."""
    images = [publish(drill.registry, layers=2, layer_bytes=LAYER_BYTES) for _ in drill.replicas]
    drill.judge(drill.unserved(images))


@pytest.mark.exclusive
@pytest.mark.failure_modes(15)
def test_upload_outlives_the_replica_that_began_it(drill: Drill) -> None:
    """An upload is finished after the replica that holds its beginning has died."""
    drill.judge(drill.wait_for_service())
    registry, first = drill.registry, drill.replicas[0]
    repository = registry.spec.repository(workload.unique_repository("ha"))
    content = oci.image(layer_bytes=LAYER_BYTES).layers[0]
    half = content.size // 2
    location = first.api().start_upload(repository).location
    location = first.api().send_chunk(location, content.content[:half], 0)
    dead = injected(
        Killed(first.container), into=drill.recorder.history, time_limit_seconds=KILLED_SECONDS
    )
    with dead, accepted(registry, "the rest of an upload that another replica began"):
        api = registry.api()
        api.finish_upload(location, content.digest, content.content[half:])
        read = api.blob(repository, content.digest)
    drill.judge(
        checks.same_content(registry.host, [content.digest], {content.digest: read.digest}),
        drill.wait_for_service(),
    )


def _uploaded(drill: Drill, first: Server, second: Server, third: Server) -> Iterator[Finding]:
    """Find the replica that does not go on with what the others have begun."""
    repository = drill.registry.spec.repository(workload.unique_repository("ha"))
    content = oci.image(layer_bytes=LAYER_BYTES).layers[0]
    half = content.size // 2
    serving = first
    try:
        location = first.api().start_upload(repository).location
        serving = second
        location = second.api().send_chunk(location, content.content[:half], 0)
        serving = third
        third.api().finish_upload(location, content.digest, content.content[half:])
        serving = first
        read = first.api().blob(repository, content.digest)
    except RegistryError as error:
        names = ", ".join(each.name for each in (first, second, third))
        yield Finding(
            Code.PUSH_FAILED,
            serving.name,
            f"an upload by way of {names}: {error.problem}",
            "give all replicas the same http.secret and the same storage",
        )
    else:
        yield from checks.same_content(first.name, [content.digest], {content.digest: read.digest})
