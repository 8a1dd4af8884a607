"""A registry that is one pod of the cluster: nobody is served while it is away, nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness.cluster.protocols import KubernetesAccess
from harness.diagnosis import FailureCode
from harness.faults.pods import NodeDrained, PodDeleted
from harness.lab import ability
from harness.registry.protocols import RunsAsPods
from harness.wait import wait_until
from harness.workload import CLIENT

if TYPE_CHECKING:
    from fixtures.drill import Drill
    from harness.registry.protocols import PlacedPod

AWAY = (FailureCode.CONNECTION, FailureCode.TIMEOUT)


@pytest.mark.exclusive
def test_registry_outlives_the_deletion_of_its_pod(pod_drill: Drill) -> None:
    """Another pod serves all that was acknowledged; how long nobody could pull is told."""
    pod = _serving(pod_drill)
    deleted = PodDeleted(
        *(ability(pod_drill.registry, RunsAsPods).kubeconfig, pod.namespace, pod.name),
        replaced_seconds=pod_drill.front.return_seconds,
        known_as="its pod",
    )
    pod_drill.serve_through(deleted, failing=_everybody(pod_drill))


@pytest.mark.exclusive
def test_registry_outlives_the_drain_of_its_node(pod_drill: Drill) -> None:
    """All that was acknowledged is served soon after the node that has the volume is back."""
    pod, cluster = _serving(pod_drill), pod_drill.lab.cluster
    known = ability(cluster, KubernetesAccess).node_name
    (node,) = (each.name for each in cluster.nodes if known(each) == pod.node_name)
    kubeconfig = ability(pod_drill.registry, RunsAsPods).kubeconfig
    drained = NodeDrained(kubeconfig, pod.node_name, node)
    pod_drill.serve_during(drained, failing=_everybody(pod_drill), lasting=True)


def _serving(drill: Drill) -> PlacedPod:
    """Return the pod that serves now."""
    drill.judge(drill.wait_for_service())
    ready = wait_until(
        ability(drill.registry, RunsAsPods).pods,
        timeout_seconds=drill.front.return_seconds,
        what="the pod that serves to be called ready",
    )
    return ready[0]


def _everybody(drill: Drill) -> tuple[Users, Users]:
    """Return all nodes and all clients, who may notice that the pod is away."""
    return drill.every_node(*AWAY), Users((CLIENT,), AWAY, always=False)
