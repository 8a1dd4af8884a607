"""Pull latency by the kubelets' own clocks: pulling and waiting apart, and what they count."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from fixtures.pod_measuring import queueing_seconds
from harness import checks, measure
from harness.cluster.kubelet import pull_counts, pull_settings
from harness.findings import Inconclusive
from harness.measure import Samples
from harness.scenario.model import MIB

if TYPE_CHECKING:
    from fixtures.pod_measuring import KubeletPulls, KubeletStopwatch
    from fixtures.recorder import Judge, Recorder
    from fixtures.workload import Publish
    from harness.lab import Lab

TOGETHER = 3
"""Pods with new images that start on each node at once."""
TOGETHER_BYTES = 256 * 1024
AT_ONCE = 4
"""Images by which to tell how many are pulled at once; fewer where kubelets are set up to fewer."""
LAYERS = (4, 8, 16)
"""Of these images; more where pulls of fewer did not meet, because pods did not start together."""
LAYER_BYTES = 9 * MIB


@pytest.mark.exclusive
def test_cold_pulls_of_one_pod_at_a_time(lab: Lab, kubelet_stopwatch: KubeletStopwatch) -> None:
    """How long a kubelet pulls an image that its node cannot have, nothing else going on."""
    for _ in range(lab.scenario.latency.samples):
        image = kubelet_stopwatch.stopwatch.new_image()
        for node in lab.nodes:
            kubelet_stopwatch.pull_cold(image, on=(node,))
    kubelet_stopwatch.conclude("pod_pull", image)


@pytest.mark.exclusive
def test_pods_that_start_together_wait_for_images(
    lab: Lab, publish: Publish, kubelet_pulls: KubeletPulls, recorder: Recorder
) -> None:
    """How long a pull waits for its turn when several pods with new images start at once."""
    samples: defaultdict[str, Samples] = defaultdict(Samples)
    for _ in range(lab.scenario.latency.samples):
        images = [publish(lab.primary, layer_bytes=TOGETHER_BYTES) for _ in range(TOGETHER)]
        for pull in kubelet_pulls.pull(images, on=lab.nodes):
            samples[pull.node].add(queueing_seconds(pull))
    for node, waited in sorted(samples.items()):
        for figure in measure.latency("pod_pull_queue", waited, subject=node):
            recorder.measure(figure)
    kubelet_pulls.refuse_saturation()


@pytest.mark.exclusive
def test_images_are_pulled_at_once_as_configured(
    lab: Lab, publish: Publish, kubelet_pulls: KubeletPulls, judge: Judge
) -> None:
    """Each kubelet pulls as many images at once as it is set up to, one after the other or not."""
    access = kubelet_pulls.access
    settings = {node.name: pull_settings(access.api, access.node_name(node)) for node in lab.nodes}
    if lab.cluster.provider == "kind":  # which alone the scenario sets up
        asked = lab.scenario.cluster.kubelet
        judge(*(checks.set_up_as_asked(node, told, asked) for node, told in settings.items()))
    limits = [told.at_once for told in settings.values() if told.at_once and told.at_once > 1]
    for layers in LAYERS:
        images = [
            publish(lab.primary, layers=layers, layer_bytes=LAYER_BYTES)
            for _ in range(min([AT_ONCE, *limits]))
        ]
        pulls = kubelet_pulls.pull(images, on=lab.nodes)
        try:
            judge(*[checks.pulled_as_configured(*each, pulls) for each in settings.items()])
        except Inconclusive:
            if layers == LAYERS[-1]:
                raise
        else:
            return


def test_kubelets_count_their_pulls(
    lab: Lab, publish: Publish, kubelet_pulls: KubeletPulls, judge: Judge
) -> None:
    """The metrics of every kubelet have counted each pull that its events told of."""
    access = kubelet_pulls.access
    names = {node.name: access.node_name(node) for node in lab.nodes}
    before = {node: pull_counts(access.api, name) for node, name in names.items()}
    # A kubelet tells of a pull first and counts it then, both before the container.
    pulls = kubelet_pulls.pull([publish(lab.primary)], on=lab.nodes, with_status=True)
    after = {node: pull_counts(access.api, name) for node, name in names.items()}
    judge(*(checks.counted(node, before[node], after[node], pulls) for node in names))
