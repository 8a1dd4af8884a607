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
READY_SECONDS = 180


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
        ready(made, "wait", "pod/writer", "--for=condition=Ready")
        ready(made, "rollout", "status", "daemonset/answerer")
        ready(made, "rollout", "status", "--namespace=kube-system", "deployment/coredns")
        yield made


def ready(cluster: KindCluster, *waiting: str) -> None:
    """Have kubectl wait for something; what is made first may take a while on a busy machine."""
    limit = f"--timeout={READY_SECONDS}s"
    cluster.kubectl(*waiting, limit, timeout_seconds=READY_SECONDS + 10)


def told_in_a_pod(cluster: KindCluster, *command: str, wanted: str) -> str:
    """Return what a command prints in the pod `writer`, once what is wanted is in it.

    Its node hears of services and of their pods a little after they are ready.
    """
    script = ("sh", "-c", '"$@" 2>&1 || true', "sh")
    return wait_until(
        lambda: cluster.kubectl("exec", "writer", "--", *script, *command),
        ready=lambda told: wanted in told,
        timeout_seconds=60,
        interval_seconds=0.5,
        what=f"{' '.join(command)} to tell {wanted}",
    )


def test_all_nodes_are_ready_with_the_version_of_the_recipe(
    cluster: KindCluster, node_image: Image
) -> None:
    ready(cluster, "wait", "nodes", "--all", "--for=condition=Ready")

    versions = cluster.kubectl(
        "get", "nodes", "--output", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}"
    ).split()

    wanted = load_recipes()[node_image].kubernetes
    assert wanted is not None
    assert versions == [f"v{wanted.version}"] * len(NODES)


def test_names_of_services_are_resolved_by_the_clusters_resolver(cluster: KindCluster) -> None:
    name = "kubernetes.default.svc.cluster.local"

    answer = told_in_a_pod(cluster, "nslookup", name, wanted="10.96.0.1")

    assert name in answer


def test_names_of_the_engine_are_resolved_in_pods(cluster: KindCluster) -> None:
    container = f"{cluster.name}-worker"
    address = cluster.on("worker", "cat /kind/address")

    answer = told_in_a_pod(cluster, "nslookup", f"{container}.", wanted=address)

    assert container in answer


def test_pods_reach_each_other_on_all_nodes(cluster: KindCluster) -> None:
    found = "jsonpath={.items[*].status.podIP}"
    pods = cluster.kubectl("get", "pods", "--selector=app=answerer", "--output", found).split()

    answers = [
        told_in_a_pod(cluster, "wget", "-qO-", f"http://{pod}:8080/hostname", wanted="answerer-")
        for pod in pods
    ]

    assert len(set(answers)) == len(NODES)


def test_a_service_leads_to_its_pods(cluster: KindCluster) -> None:
    address = "http://answerer/hostname"

    answer = told_in_a_pod(cluster, "wget", "-qO-", address, wanted="answerer-")

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
        timeout_seconds=90,
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
            timeout_seconds=READY_SECONDS,
            what="the kubelet to run again",
        )
        cluster.kind(
            *("export", "kubeconfig", "--name", cluster.name),
            *("--kubeconfig", str(cluster.kubeconfig)),
        )
        wait_until(
            lambda: cluster.on("control-plane", "kubectl get --raw /readyz || true"),
            ready=lambda answer: answer == "ok",
            timeout_seconds=READY_SECONDS,
            what="the API to answer again",
        )
        ready(cluster, "rollout", "status", "--namespace=kube-system", "deployment/coredns")
        assert cluster.on("control-plane", "cat /kind/address") != before
    finally:
        taker.remove(force=True, v=True)
