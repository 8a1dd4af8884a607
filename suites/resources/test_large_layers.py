"""Large layers: through the proxy into the registry, and from there onto a node.

The limits that stop them are those of proxies more often than those of registries, so a registry
behind a load balancer is taken where the scenario has one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fixtures.workload import accepted
from harness import checks, oci, workload
from harness.cluster.protocols import RuntimeAccess
from harness.lab import ability
from harness.large_layer import large_layer
from harness.result.model import Measurement
from harness.scenario import kinds
from harness.scenario.model import MIB

if TYPE_CHECKING:
    from fixtures.recorder import Judge, Recorder
    from fixtures.workload import Push
    from harness.lab import Lab
    from harness.registry.protocols import Registry

pytestmark = [pytest.mark.exclusive, pytest.mark.failure_modes(14)]

# What any node manages: a pull that is slower has failed.
LEAST_MIB_PER_SECOND = 4
LEAST_SECONDS = 60.0


def test_large_layer_sent_in_one_request_reaches_a_node(
    lab: Lab, push: Push, recorder: Recorder, judge: Judge
) -> None:
    """A large layer that is pushed in one request is accepted, and a node holds it after a pull."""
    _travel(lab, push, recorder, judge, chunk_mib=0, way="in one request")


def test_large_layer_sent_in_chunks_reaches_a_node(
    lab: Lab, push: Push, recorder: Recorder, judge: Judge
) -> None:
    """A large layer that is pushed in chunks is accepted, and a node holds it after a pull."""
    chunk_mib = lab.scenario.resources.chunk_mib
    _travel(lab, push, recorder, judge, chunk_mib=chunk_mib, way=f"in chunks of {chunk_mib} MiB")


def _travel(
    lab: Lab, push: Push, recorder: Recorder, judge: Judge, *, chunk_mib: int, way: str
) -> None:
    """Push a new large layer, pull it on one node, and look at what the node holds."""
    registry, node = _behind_a_proxy(lab), lab.nodes[0]
    size_mib = lab.scenario.resources.large_layer_mib
    layer = large_layer(size_mib)
    repository = registry.spec.repository(workload.unique_repository("resources"))
    started = time.monotonic()
    with accepted(registry, f"a layer of {size_mib} MiB {way}"):
        registry.api().push_blob(repository, layer, chunk_bytes=chunk_mib * MIB)
    _measure(recorder, "push", time.monotonic() - started, f"{size_mib} MiB {way}")
    published = push(oci.with_layer(oci.image(), layer), repository, registry)
    pull = node.pull(
        published.reference,
        registry.credentials,
        timeout_seconds=max(LEAST_SECONDS, size_mib / LEAST_MIB_PER_SECOND),
    )
    recorder.history.append(workload.as_operation(pull, layer.size))
    judge(checks.all_succeeded([pull]))
    _measure(recorder, "pull", pull.duration_seconds, f"{size_mib} MiB {way}")
    digests = (*published.digests, layer.digest)
    held = ability(node, RuntimeAccess).content_digests(digests)
    judge(checks.same_content(node.name, digests, held))


def _behind_a_proxy(lab: Lab) -> Registry:
    behind = (each for each in lab.registries if kinds.REPLICATED.matches(each.spec))
    return next(behind, lab.primary)


def _measure(recorder: Recorder, what: str, seconds: float, subject: str) -> None:
    recorder.measure(
        Measurement(
            name=f"large_layer_{what}_seconds",
            unit="seconds",
            value=seconds,
            statistic="max",
            samples=1,
            subject=subject,
        )
    )
