"""Pull latency of very many nodes, read from what their kubelets tell the Kubernetes API."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from harness.cluster.protocols import KubernetesAccess
from harness.fleet import Fleet, FleetFigures, SampleOrder
from harness.lab import ability
from harness.oci import machine_architecture

if TYPE_CHECKING:
    from fixtures.measuring import Stopwatch
    from fixtures.pods import Pods
    from fixtures.recorder import Judge, Recorder
    from harness.lab import Lab


@pytest.mark.exclusive
def test_cold_pulls_of_the_whole_fleet(
    lab: Lab, pods: Pods, stopwatch: Stopwatch, recorder: Recorder, judge: Judge
) -> None:
    """How long kubelets pull a new image when all schedulable nodes do it at once."""
    registry, cluster = lab.primary, ability(lab.cluster, KubernetesAccess)
    credentials = registry.credentials
    pull_secret = pods.secret({registry.host: credentials}) if credentials else ""
    platform = f"linux/{machine_architecture()}"
    fleet, figures = Fleet(cluster.api, platform), FleetFigures()
    for _ in range(lab.scenario.latency.samples):
        image = stopwatch.new_image()
        order = SampleOrder(
            name=f"fleet-{secrets.token_hex(4)}",
            namespace=cluster.namespace,
            reference=image.reference,
            platform=platform,
            pull_secret=pull_secret,
        )
        figures.add(fleet.pull(order, image_bytes=image.image.size))
    recorder.nodes = figures.records()
    for figure in figures.measurements(stopwatch.size_class):
        recorder.measure(figure)
    judge(figures.refusals())
    figures.require_all()
