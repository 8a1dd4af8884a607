"""A cluster of real kind on the node image that is built here. Building takes minutes once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide
from harness.images.recipe import load_recipes
from harness.wait import wait_until
from tests.integration.busybox import import_busybox
from tests.kubernetes.kind_cluster import kind_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine
    from tests.kubernetes.kind_cluster import KindCluster

NODES = ("control-plane", "worker", "worker2")


@pytest.fixture(scope="module")
def cluster(
    home: Home, engine: Engine, node_image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KindCluster]:
    node = provide(node_image, engine=engine, home=home, announce=print)
    with kind_cluster(engine, node.reference, tmp_path_factory.mktemp("kind")) as made:
        import_busybox(engine.client, home, tmp_path_factory.mktemp("busybox"))
        made.kind("load", "docker-image", "busybox:test", "--name", made.name)
        manifest = (Path(__file__).parent / "workload.yaml").read_bytes()
        made.kubectl("apply", "--filename", "-", stdin=manifest)
        made.kubectl("rollout", "status", "daemonset/answerer", "--timeout=60s")
        made.kubectl("wait", "pod/writer", "--for=condition=Ready", "--timeout=60s")
        yield made


def test_all_nodes_are_ready_with_the_version_of_the_recipe(
    cluster: KindCluster, node_image: Image
) -> None:
    cluster.kubectl("wait", "nodes", "--all", "--for=condition=Ready", "--timeout=60s")

    versions = cluster.kubectl(
        "get", "nodes", "--output", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}"
    ).split()

    wanted = load_recipes()[node_image].kubernetes
    assert wanted is not None
    assert versions == [f"v{wanted.version}"] * len(NODES)


def test_names_of_services_are_resolved_by_the_clusters_resolver(cluster: KindCluster) -> None:
    answer = cluster.kubectl(
        "exec", "writer", "--", "nslookup", "kubernetes.default.svc.cluster.local"
    )

    assert "10.96.0.1" in answer


def test_names_of_the_engine_are_resolved_in_pods(cluster: KindCluster) -> None:
    container = f"{cluster.name}-worker"
    address = cluster.on("worker", "cat /kind/address")

    assert address in cluster.kubectl("exec", "writer", "--", "nslookup", f"{container}.")


def test_pods_reach_each_other_on_all_nodes(cluster: KindCluster) -> None:
    found = "jsonpath={.items[*].status.podIP}"
    pods = cluster.kubectl("get", "pods", "--selector=app=answerer", "--output", found).split()

    answers = [
        cluster.kubectl("exec", "writer", "--", "wget", "-qO-", f"http://{pod}:8080/hostname")
        for pod in pods
    ]

    assert len(set(answers)) == len(NODES)


def test_a_service_leads_to_its_pods(cluster: KindCluster) -> None:
    answer = cluster.kubectl("exec", "writer", "--", "wget", "-qO-", "http://answerer/hostname")

    assert answer.startswith("answerer-")


def test_a_claim_is_given_a_folder_that_goes_with_it(cluster: KindCluster) -> None:
    volume = cluster.kubectl("get", "pvc/data", "--output", "jsonpath={.spec.volumeName}")
    node = cluster.kubectl("get", "pod/writer", "--output", "jsonpath={.spec.nodeName}")
    node = node.removeprefix(f"{cluster.name}-")
    assert cluster.on(node, f"cat /var/local/volumes/{volume}/name") == "writer"

    cluster.kubectl("delete", "pod/writer", "pvc/data")

    wait_until(
        lambda: cluster.on(node, "ls /var/local/volumes"),
        ready=lambda left: volume not in left,
        timeout_seconds=30,
        what="the folder of the volume to be gone",
    )


def test_logs_of_all_nodes_can_be_exported(cluster: KindCluster, tmp_path: Path) -> None:
    cluster.kind("export", "logs", str(tmp_path), "--name", cluster.name)

    for node in NODES:
        logs = tmp_path / f"{cluster.name}-{node}"
        assert "containerd successfully booted" in (logs / "containerd.log").read_text()
        assert (logs / "kubelet.log").stat().st_size > 0


def test_a_restarted_node_is_ready_again_also_at_another_address(
    cluster: KindCluster, engine: Engine
) -> None:
    container = engine.client.containers.get(f"{cluster.name}-control-plane")
    before = cluster.on("control-plane", "cat /kind/address")
    container.stop(timeout=5)
    taker = engine.client.containers.run(
        "busybox:test", ["sleep", "600"], detach=True, network="kind"
    )
    try:
        container.start()
        wait_until(
            lambda: cluster.on("control-plane", "systemctl is-active kubelet || true"),
            ready=lambda state: state == "active",
            timeout_seconds=60,
            what="the kubelet to run again",
        )
        cluster.kind(
            *("export", "kubeconfig", "--name", cluster.name),
            *("--kubeconfig", str(cluster.kubeconfig)),
        )
        wait_until(
            lambda: cluster.on("control-plane", "kubectl get --raw /readyz || true"),
            ready=lambda answer: answer == "ok",
            timeout_seconds=90,
            what="the API to answer again",
        )
        rollout = ["rollout", "status", "--namespace=kube-system", "--timeout=90s"]
        cluster.kubectl(*rollout, "deployment/coredns", timeout_seconds=100)
        assert cluster.on("control-plane", "cat /kind/address") != before
    finally:
        taker.remove(force=True, v=True)
