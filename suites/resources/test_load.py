"""What readers cost the registry, and whether it gives back what a load took."""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from harness import checks, measure, workload
from harness.errors import WaitTimeoutError
from harness.lab import ability
from harness.measure import Samples
from harness.pool import Pool
from harness.registry.protocols import ReportsUsage, Restarts
from harness.result.model import Measurement
from harness.scenario.model import MIB
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.recorder import Judge, Recorder
    from fixtures.workload import Publish
    from harness.distribution_api import BlobRead
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published

pytestmark = pytest.mark.exclusive

GIB = 1024 * MIB
LAYER_BYTES = 16 * MIB
READINGS = 3
# How long slow clients hold still while others are waited for; who is not served by then waits
# on, and its time tells.
PATIENCE_SECONDS = 3.0

ROUND_BYTES = 12 * MIB
ORDINARY_READS = 16
SETTLED_BYTES = 32 * MIB
SETTLING_SECONDS = 5.0

FULL_SPEED_BYTES = 24 * MIB
FULL_SPEED_READERS = 8


def test_slow_clients_cost_what_is_stated_and_hold_up_nobody(
    lab: Lab, publish: Publish, recorder: Recorder, judge: Judge
) -> None:
    """While many clients read slowly, nodes pull in time and the registry stays within its means.

    Each slow client takes the first bytes of a large layer and then holds still, so that all of
    them are under way at the same time; Distribution buffers 4 MiB for each
    (registry/storage/filereader.go).
    """
    registry, usage = _restarted(lab)
    readers = lab.scenario.resources.concurrent_reads
    large, small = publish(registry, layer_bytes=LAYER_BYTES), publish(registry)
    with Pool(1) as pool:
        with _held(registry, large, readers):
            pulling = pool.submit(
                workload.pull_on, lab.nodes, small.reference, registry.credentials
            )
            wait([pulling], timeout=PATIENCE_SECONDS)
            memory = [usage.memory_bytes() for _ in range(READINGS)]
            files = usage.open_files()
        pulls = pulling.result()
    for pull in pulls:
        recorder.history.append(workload.as_operation(pull))
    judge(checks.all_succeeded(pulls))
    subject = f"{registry.spec.name} at {readers} concurrent reads"
    recorder.measure(_figure("registry_memory_bytes", "bytes", max(memory), subject))
    recorder.measure(_figure("registry_open_files", "open files", files, subject))
    for pull in pulls:
        samples = Samples([pull.duration_seconds])
        for figure in measure.latency("slow_clients_pull", samples, subject=pull.node):
            recorder.measure(figure)


def test_what_a_load_took_is_given_back(lab: Lab, publish: Publish, recorder: Recorder) -> None:
    """Memory and file descriptors fall back once a load that came and went again is over.

    Each round pushes a new layer and has many clients read it. Afterwards only ordinary reads go
    on: Go's runtime collects garbage when something is asked of it, and then returns memory to
    the machine.
    """
    registry, usage = _restarted(lab)
    spec = lab.scenario.resources
    idle_bytes, idle_files = usage.memory_bytes(), usage.open_files()
    for _ in range(spec.rounds):
        loaded = publish(registry, layer_bytes=ROUND_BYTES)
        with _held(registry, loaded, spec.concurrent_reads):
            pass

    def memory_after_ordinary_reads() -> int:
        api = registry.api()
        for _ in range(ORDINARY_READS):
            api.blob(loaded.repository, loaded.image.config.digest)
        return usage.memory_bytes() - idle_bytes

    left_bytes = _settled(memory_after_ordinary_reads, SETTLED_BYTES)
    left_files = _settled(lambda: usage.open_files() - idle_files, 0)
    rounds = f"{spec.rounds} rounds of {spec.concurrent_reads} concurrent reads"
    subject = f"{registry.spec.name} after {rounds}"
    recorder.measure(_figure("registry_memory_left_bytes", "bytes", left_bytes, subject))
    recorder.measure(_figure("registry_open_files_left", "open files", left_files, subject))


def test_reads_cost_no_more_processor_time_than_stated(
    lab: Lab, publish: Publish, recorder: Recorder
) -> None:
    """How much processor time the registry takes to serve a GiB to clients at full speed."""
    registry = lab.primary
    usage = ability(registry, ReportsUsage)
    published = publish(registry, layer_bytes=FULL_SPEED_BYTES)
    (layer,) = published.image.layers

    def read(_: int) -> BlobRead:
        return registry.api().blob(published.repository, layer.digest)

    before = usage.cpu_seconds()
    with Pool(FULL_SPEED_READERS) as pool:
        served = sum(read.size for read in pool.map(read, range(FULL_SPEED_READERS)))
    spent = usage.cpu_seconds() - before
    recorder.measure(
        _figure(
            "registry_cpu_seconds_per_gib",
            "seconds per GiB",
            spent / (served / GIB),
            f"{registry.spec.name} at {FULL_SPEED_READERS} concurrent reads",
        )
    )


def _restarted(lab: Lab) -> tuple[Registry, ReportsUsage]:
    """Return the registry under test, free of what earlier checks made it allocate."""
    ability(lab.primary, Restarts).restart()
    return lab.primary, ability(lab.primary, ReportsUsage)


@contextmanager
def _held(registry: Registry, published: Published, readers: int) -> Iterator[None]:
    """Have so many clients in the middle of the same layer for as long as the block runs."""
    with ExitStack() as reading:
        for _ in range(readers):
            layer = published.image.layers[0]
            reading.enter_context(registry.api().reading(published.repository, layer.digest))
        yield


def _settled(read: Callable[[], int], enough: int) -> int:
    """Return the first reading that is no more than `enough`, else the last one within 5 s."""
    readings: list[int] = []

    def reading() -> int:
        readings.append(max(0, read()))
        return readings[-1]

    with suppress(WaitTimeoutError):  # what is still there is the figure
        wait_until(
            reading,
            ready=lambda left: left <= enough,
            timeout_seconds=SETTLING_SECONDS,
            what="the registry to give back what a load took",
        )
    return readings[-1]


def _figure(name: str, unit: str, value: float, subject: str) -> Measurement:
    return Measurement(
        name=name, unit=unit, value=value, statistic="max", samples=1, subject=subject
    )
