"""Pods, nodes and runtimes of a real cluster, broken and healed."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness import oci, workload
from harness.cluster.existing import ExistingCluster
from harness.cluster.kind import KindCluster
from harness.cluster.protocols import MadeForRun, RunsRuntime
from harness.errors import HarnessError
from harness.faults.containers import Stopped
from harness.faults.fault import caused, injected
from harness.faults.pods import NodeDrained, PodDeleted
from harness.faults.runtimes import RuntimeRestarted, RuntimeStopped
from harness.history import History
from harness.lab import credentials_of
from harness.registry.in_cluster import InClusterRegistry
from harness.wait import wait_until
from tests.fault_owner import HEALED_SECONDS, owned_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.containerd_node import ContainerdNode
    from harness.lab import Lab

READY_SECONDS = 180
SYSTEM = "/api/v1/namespaces/kube-system/pods"
TASKS = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
SYSTEM_NAMES = "(etcd|kube-|pod-)"
SYSTEM_POD = f'"io.kubernetes.cri.sandbox-name":"{SYSTEM_NAMES}'


@dataclass(frozen=True)
class Placed:
    """A pod of the cluster's nameserver, and the node that it runs on."""

    name: str
    node_name: str


@pytest.fixture
def cluster(lab: Lab) -> KindCluster:
    assert isinstance(lab.cluster, KindCluster)
    return lab.cluster


@pytest.fixture(autouse=True)
def _inside(lab: Lab) -> Iterator[None]:
    """Leave the registry inside the cluster in service: its pod may have been evicted."""
    registry = lab.registries[-1]
    assert isinstance(registry, InClusterRegistry)
    yield
    registry.wait_until_healthy(timeout_seconds=READY_SECONDS)


def nameservers(cluster: KindCluster) -> list[Placed]:
    """All that are ready."""
    pods = cluster.api.list(SYSTEM, labelSelector="k8s-app=kube-dns")
    return [
        Placed(str(pod["metadata"]["name"]), str(pod["spec"]["nodeName"]))
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in pod["status"].get("conditions", ())
        )
    ]


def some_nameservers(cluster: KindCluster) -> list[Placed]:
    """All that are ready, once one is: a cluster is up before its nameservers are."""
    return wait_until(
        lambda: nameservers(cluster),
        timeout_seconds=READY_SECONDS,
        interval_seconds=0.2,
        what="a nameserver to be ready",
    )


def drained(cluster: KindCluster) -> NodeDrained:
    """The fault of draining the node of a nameserver."""
    node_name = some_nameservers(cluster)[0].node_name
    return NodeDrained(cluster.kubeconfig, node_name, node_name.removeprefix(f"{cluster.name}-"))


def test_deleted_pod_is_replaced(cluster: KindCluster) -> None:
    before, history = some_nameservers(cluster), History()

    caused(PodDeleted(cluster.kubeconfig, "kube-system", before[0].name), into=history)

    after = nameservers(cluster)
    assert len(after) >= len(before)
    assert before[0].name not in {pod.name for pod in after}
    assert history.faults[0].subject == f"kube-system/{before[0].name}"


def test_pod_that_nobody_would_replace_is_not_deleted(cluster: KindCluster) -> None:
    static = next(
        str(pod["metadata"]["name"])
        for pod in cluster.api.list(SYSTEM, labelSelector="tier=control-plane")
    )
    # a node stands as the controller of its static pods, and makes no other one
    owners = cluster.api.get(f"{SYSTEM}/{static}")["metadata"]["ownerReferences"]
    assert owners[0]["kind"] == "Node"
    with pytest.raises(HarnessError, match="has no controller"):
        caused(PodDeleted(cluster.kubeconfig, "kube-system", static), into=History())


def test_drained_node_is_left_and_takes_pods_again(cluster: KindCluster) -> None:
    fault = drained(cluster)

    with injected(fault, into=History(), time_limit_seconds=120):
        assert fault.node_name not in {pod.node_name for pod in nameservers(cluster)}

    node = cluster.api.get(f"/api/v1/nodes/{fault.node_name}")
    assert "unschedulable" not in node["spec"]


def test_drained_node_takes_pods_again_when_its_owner_is_killed(cluster: KindCluster) -> None:
    fault = drained(cluster)
    with owned_elsewhere(fault) as pid:
        assert fault.is_active()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not fault.is_active(), timeout_seconds=HEALED_SECONDS, what="the fault to heal"
        )


def test_cluster_that_is_gone_needs_no_healing(cluster: KindCluster) -> None:
    gone = NodeDrained(cluster.kubeconfig.with_name("gone"), "node", "node")

    gone.heal()
    assert not gone.is_active()


def worker(lab: Lab) -> ContainerdNode:
    assert isinstance(lab.cluster, KindCluster)
    return lab.cluster.nodes[-1]


def pulls(lab: Lab, node: ContainerdNode) -> bool:
    repository = workload.unique_repository("faults")
    image = workload.publish(lab.primary, oci.image(), repository=repository)
    credentials = credentials_of(lab.primary)
    return node.pull(image.reference, credentials).succeeded


def test_node_without_its_runtime_pulls_nothing(lab: Lab) -> None:
    node = worker(lab)
    assert isinstance(node, RunsRuntime)

    fault = RuntimeStopped(node.container, node.runtime_unit)
    with injected(fault, into=History(), time_limit_seconds=120):
        assert not pulls(lab, node)

    wait_until(node.answers, timeout_seconds=READY_SECONDS, what="the runtime to answer")
    assert pulls(lab, node)


def test_stopped_runtime_starts_when_its_owner_is_killed(lab: Lab) -> None:
    node = worker(lab)
    fault = RuntimeStopped(node.container, node.runtime_unit)
    with owned_elsewhere(fault) as pid:
        assert fault.is_active()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not fault.is_active(), timeout_seconds=HEALED_SECONDS, what="the fault to heal"
        )
    wait_until(node.answers, timeout_seconds=READY_SECONDS, what="the runtime to answer")


def test_stopped_node_is_itself_again_when_its_owner_is_killed(
    lab: Lab, cluster: KindCluster
) -> None:
    node = worker(lab)
    fault = Stopped(node.container)
    with owned_elsewhere(fault) as pid:
        assert fault.is_active()
        assert not pulls(lab, node)
        stopped_at = f"{datetime.now(UTC):%FT%TZ}"
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not fault.is_active(), timeout_seconds=HEALED_SECONDS, what="the fault to heal"
        )
    wait_until(node.answers, timeout_seconds=READY_SECONDS, what="the runtime to answer")
    assert pulls(lab, node)
    wait_until(
        cluster.unready,
        ready=lambda unready: not unready,
        timeout_seconds=READY_SECONDS,
        what="the kubelet to be ready",
    )
    assert lab.registries[-1].spec.name in node.execute(["cat", "/etc/hosts"]).text
    told = cluster.api.get(f"/api/v1/nodes/{cluster.node_name(node)}")["status"]["conditions"]
    assert all(each["lastHeartbeatTime"] >= stopped_at for each in told)


def test_runtime_pulls_again_after_a_restart(lab: Lab) -> None:
    node, history = worker(lab), History()

    caused(RuntimeRestarted(node.container, node.runtime_unit), into=history)

    wait_until(node.answers, timeout_seconds=READY_SECONDS, what="the runtime to answer")
    assert pulls(lab, node)
    assert history.faults[0].proven_healed


def test_containers_outlive_a_restart_of_their_runtime(cluster: KindCluster) -> None:
    before = [
        wait_until(
            partial(system_tasks, node),
            ready=partial(are_all, system_containers(cluster, node)),
            timeout_seconds=READY_SECONDS,
            what=f"all that stays on {node.name} to run: it may have been stopped before",
        )
        for node in cluster.nodes
    ]

    for node in cluster.nodes:
        caused(RuntimeRestarted(node.container, node.runtime_unit), into=History())

    for node in cluster.nodes:
        wait_until(node.answers, timeout_seconds=READY_SECONDS, what="the runtime to answer")
    assert [system_tasks(node) for node in cluster.nodes] == before


def are_all(count: int, tasks: set[str]) -> bool:
    return len(tasks) == count


def system_containers(cluster: KindCluster, node: ContainerdNode) -> int:
    """Return how many containers the pods that stay on a node have, sandboxes included."""
    name = cluster.node_name(node)
    return sum(
        1 + len(pod["spec"]["containers"])
        for pod in cluster.api.get(SYSTEM)["items"]
        if pod["spec"].get("nodeName") == name and re.match(SYSTEM_NAMES, pod["metadata"]["name"])
    )


def system_tasks(node: ContainerdNode) -> set[str]:
    """Return what containerd runs for pods that stay: of the control plane and of daemon sets."""
    script = (
        'cd "$1" && for id in $(grep -lE "$2" */config.json); do '
        'echo "$id $(cat "${id%/*}/init.pid")"; done'
    )
    shown = node.execute(["sh", "-c", script, "sh", TASKS, SYSTEM_POD])
    return set(shown.text.splitlines())


def test_only_clusters_of_ours_may_be_broken(cluster: KindCluster) -> None:
    assert isinstance(cluster, MadeForRun)
    assert not hasattr(ExistingCluster, "kubeconfig")
