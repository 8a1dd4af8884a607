"""What a pull-through cache saves, in time and in bytes on the upstream's link."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.lab import ability
from harness.registry.protocols import CountsBytes, KeepsAccessLog, Restarts
from harness.result.model import Measurement
from harness.scenario.model import SIZE_CLASS_BYTES

if TYPE_CHECKING:
    from fixtures.caching import CachedUpstream
    from fixtures.recorder import Recorder
    from fixtures.workload import Publish
    from harness.lab import Lab
    from harness.scenario.model import SizeClass
    from harness.workload import Published

pytestmark = pytest.mark.exclusive

LAYERS = 5


def test_cache_is_faster_than_the_link(
    lab: Lab, cached: CachedUpstream, publish: Publish, recorder: Recorder, size_class: SizeClass
) -> None:
    """How many times faster nodes pull what the cache holds than what comes over the link.

    Each time another node pulls a new image through the empty cache, then all others pull it,
    one at a time. Each first pull is proven to have come from the upstream.
    """
    log = ability(cached.upstream, KeepsAccessLog)
    ability(cached.upstream, Restarts).wait_until_healthy()  # its link is as slow as it should be
    over_the_link, from_cache = [], []
    for number in range(lab.scenario.mirror.samples):
        first = cached.nodes[number % len(cached.nodes)]
        image = _new_image(cached, publish, size_class)
        mark = log.mark()
        over_the_link.append(cached.warm(image, first).duration_seconds)
        blobs = [layer.digest for layer in image.image.layers]
        # Inconclusive unless the upstream sent them; how often does not matter here.
        checks.fetched_once(cached.cache.host, log.requests_since(mark), blobs, cached.nodes)
        for node in cached.nodes:
            if node is not first:
                (pull,) = cached.pull_well(image, [node])
                from_cache.append(pull.duration_seconds)
    recorder.measure(
        Measurement(
            name="local_speedup",
            unit="times",
            value=median(over_the_link) / median(from_cache),
            statistic="p50",
            samples=len(over_the_link),
            size_class=size_class,
            subject=cached.cache.spec.name,
        )
    )


def test_cache_spares_the_link(
    lab: Lab, cached: CachedUpstream, publish: Publish, recorder: Recorder, size_class: SizeClass
) -> None:
    """Which share of the bytes that nodes pull one after the other stays off the upstream's link.

    The link's own counter tells what the upstream has sent to anybody.
    """
    link = ability(cached.upstream, CountsBytes)
    saved = []
    for _ in range(lab.scenario.mirror.samples):
        image = _new_image(cached, publish, size_class)
        before = link.sent_bytes()
        cached.warm(image, cached.nodes[0])
        for node in cached.others:
            cached.pull_well(image, [node])
        sent = link.sent_bytes() - before
        size, pulls = image.image.size, len(cached.nodes)
        saved.append(checks.saved_ratio(sent, size_bytes=size, pulls=pulls))
    recorder.measure(
        Measurement(
            name="upstream_bytes_saved_ratio",
            unit="ratio",
            value=median(saved),
            statistic="p50",
            samples=len(saved),
            size_class=size_class,
            subject=cached.cache.spec.name,
        )
    )


def _new_image(cached: CachedUpstream, publish: Publish, size_class: SizeClass) -> Published:
    """Push an image of a size class that neither the cache nor a node can have."""
    layer_bytes = SIZE_CLASS_BYTES[size_class] // LAYERS
    return publish(cached.upstream, layers=LAYERS, layer_bytes=layer_bytes)
