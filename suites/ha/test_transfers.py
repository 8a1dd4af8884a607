"""Pulls that are under way when something breaks: the runtime's own retries are proven to work."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from harness import checks, workload
from harness.cluster.protocols import InContainer, RuntimeAccess
from harness.errors import WaitTimeoutError
from harness.faults.containers import Killed
from harness.faults.fault import injected
from harness.faults.link import SlowLink
from harness.lab import ability
from harness.pool import Pool
from harness.registry.protocols import CountsBytes, KeepsAccessLog
from harness.scenario.model import MIB
from harness.wait import wait_until

if TYPE_CHECKING:
    from fixtures.drill import Drill
    from fixtures.workload import Publish

# A runtime fetches three layers at once: with two replicas, each serves one of them at least.
LAYERS = 3
LAYER_BYTES = 8 * MIB
# So slow until the replica is dead that more is left than what lies in buffers on the way.
LINK_BYTES_PER_SECOND = MIB
UNDER_WAY_BYTES = MIB // 2
PULL_SECONDS = 30.0
BROKEN_SECONDS = 90.0
RECEIVED = "/sys/class/net/eth0/statistics/rx_bytes"


@pytest.mark.exclusive
def test_pull_under_way_outlives_a_replica(drill: Drill, publish: Publish) -> None:
    """A pull that is under way when a replica dies goes on at another where it was broken off."""
    drill.judge(drill.wait_for_service())
    registry, history, node = drill.registry, drill.recorder.history, drill.lab.nodes[0]
    log, received = ability(registry, KeepsAccessLog), ability(node, RuntimeAccess)
    image = publish(registry, layers=LAYERS, layer_bytes=LAYER_BYTES)
    slow = SlowLink(ability(node, InContainer).container, LINK_BYTES_PER_SECOND)
    dying = drill.replicas[0]
    sending, dead = ability(dying, CountsBytes), Killed(dying.container)
    mark = log.mark()
    with Pool(1) as pool, ExitStack() as breaking:
        with injected(slow, into=history, time_limit_seconds=BROKEN_SECONDS):
            before, sent_before = _received_bytes(received), sending.sent_bytes()
            pulling = pool.submit(
                node.pull, image.reference, registry.credentials, timeout_seconds=PULL_SECONDS
            )
            with suppress(WaitTimeoutError):  # what is not under way cannot be broken off
                wait_until(
                    lambda: (
                        _received_bytes(received) - before,
                        sending.sent_bytes() - sent_before,
                    ),
                    ready=lambda seen: min(seen) > UNDER_WAY_BYTES,
                    timeout_seconds=PULL_SECONDS,
                    what=f"the pull to be under way, from {dying.name} too",
                )
            breaking.enter_context(injected(dead, into=history, time_limit_seconds=BROKEN_SECONDS))
        pulled = pulling.result()
    history.append(workload.as_operation(pulled, image.image.size))
    lost = drill.wait_for_service()
    held = received.content_digests(image.digests)
    drill.judge(
        checks.all_succeeded([pulled]),
        checks.same_content(node.name, image.digests, held),
        lost,
    )
    checks.require_resumed_reads(log.requests_since(mark))


def _received_bytes(node: RuntimeAccess) -> int:
    return int(node.execute(["cat", RECEIVED]).text)
