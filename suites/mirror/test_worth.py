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

LAYERS = 5


@pytest.mark.exclusive
def test_cache_saves_time_and_traffic(
    lab: Lab, cached: CachedUpstream, publish: Publish, recorder: Recorder, size_class: SizeClass
) -> None:
    """How much faster nodes pull what the cache holds, and how many bytes stay off the link.

    Each time another node pulls a new image through the empty cache; then all others pull it,
    one at a time. Each first pull is proven to have come from the upstream. The link's own
    counter tells what the upstream has sent to anybody.
    """
    log, link = ability(cached.upstream, KeepsAccessLog), ability(cached.upstream, CountsBytes)
    ability(cached.upstream, Restarts).wait_until_healthy()  # its link is as slow as it should be
    over_the_link, from_cache, saved = [], [], []
    for number in range(lab.scenario.mirror.samples):
        first = cached.nodes[number % len(cached.nodes)]
        layer_bytes = SIZE_CLASS_BYTES[size_class] // LAYERS
        image = publish(cached.upstream, layers=LAYERS, layer_bytes=layer_bytes)
        mark, before = log.mark(), link.sent_bytes()
        over_the_link.append(cached.warm(image, first).duration_seconds)
        for node in cached.nodes:
            if node is not first:
                (pull,) = cached.pull_well(image, [node])
                from_cache.append(pull.duration_seconds)
        sent = link.sent_bytes() - before
        size, pulls = image.image.size, len(cached.nodes)
        saved.append(checks.saved_ratio(sent, size_bytes=size, pulls=pulls))
        # Inconclusive unless the upstream sent them; how often is another check's question.
        blobs = [layer.digest for layer in image.image.layers]
        checks.fetched_once(cached.cache.host, log.requests_since(mark), blobs, cached.nodes)
    speedup = median(over_the_link) / median(from_cache)
    for name, unit, value, subject in (
        ("local_speedup", "times", speedup, cached.cache),
        ("upstream_bytes_saved_ratio", "ratio", median(saved), cached.upstream),
    ):
        recorder.measure(
            Measurement(
                name=name,
                unit=unit,
                value=value,
                statistic="p50",
                samples=lab.scenario.mirror.samples,
                size_class=size_class,
                subject=subject.spec.name,
            )
        )
