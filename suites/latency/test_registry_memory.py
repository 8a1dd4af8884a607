"""What serving costs the registry, at a stated concurrency."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness.lab import ability
from harness.registry.protocols import ReportsMemory, Restarts
from harness.result.model import Measurement
from harness.scenario.model import MIB

if TYPE_CHECKING:
    from fixtures.recorder import Recorder
    from fixtures.workload import Publish
    from harness.lab import Lab

LAYER_BYTES = 32 * MIB
READINGS = 5


@pytest.mark.exclusive
def test_registry_memory_under_concurrent_reads(
    lab: Lab, publish: Publish, recorder: Recorder
) -> None:
    """How much memory the registry uses while so many clients read a large layer slowly.

    Each reader takes the first bytes and then holds still, so that all reads are under way at
    the same time; Distribution buffers 4 MiB for each (registry/storage/filereader.go). The
    registry is restarted before: what earlier checks made it allocate is not this load's.
    """
    registry = lab.primary
    ability(registry, Restarts).restart()
    readers = lab.scenario.latency.concurrent_reads
    published = publish(registry, layer_bytes=LAYER_BYTES)
    layer = published.image.layers[0]
    with ExitStack() as reading:
        for _ in range(readers):
            reading.enter_context(registry.api().reading(published.repository, layer.digest))
        memory = [ability(registry, ReportsMemory).memory_bytes() for _ in range(READINGS)]
    recorder.measure(
        Measurement(
            name="registry_memory_bytes",
            unit="bytes",
            value=max(memory),
            statistic="max",
            samples=len(memory),
            subject=f"{registry.spec.name} at {readers} concurrent reads",
        )
    )
