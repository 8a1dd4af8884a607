"""Pull latency per node and size class, each cold pull proven cold, the floor printed beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.measuring import Stopwatch
    from harness.lab import Lab

pytestmark = pytest.mark.exclusive

WARM_PULLS = 10


def test_cold_pulls_of_one_node_at_a_time(lab: Lab, stopwatch: Stopwatch) -> None:
    """How long a node takes to pull an image that it cannot have, nothing else going on."""
    for _ in range(lab.scenario.latency.samples):
        image = stopwatch.new_image()
        for node in lab.nodes:
            stopwatch.pull_cold(image, on=(node,))
    stopwatch.measure_floor(image)
    stopwatch.conclude("cold_pull")


def test_cold_pulls_of_all_nodes_at_once(lab: Lab, stopwatch: Stopwatch) -> None:
    """How long each node takes when all of them pull the same new image together."""
    for _ in range(lab.scenario.latency.samples):
        image = stopwatch.new_image()
        stopwatch.pull_cold(image, on=lab.nodes)
    stopwatch.measure_floor(image)
    stopwatch.conclude("concurrent_cold_pull")


def test_warm_pulls(lab: Lab, stopwatch: Stopwatch) -> None:
    """How long a node takes to find out that it already holds the image."""
    image = stopwatch.new_image()
    stopwatch.hold(image)
    for _ in range(WARM_PULLS):
        for node in lab.nodes:
            stopwatch.pull(image, on=(node,))
    stopwatch.conclude("warm_pull")
