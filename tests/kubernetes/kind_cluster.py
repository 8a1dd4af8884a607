"""A cluster of real kind, made by its command line."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.cluster.kind_config import ALONE
from harness.command import run
from harness.home import Home
from harness.tools import Tool, provide_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.command import Completed
    from harness.engine import Engine

# What this machine may lack: the second version of cgroups, the right to save a process from the
# kernel's out-of-memory killer, and a quick disk and processor for the control plane.
_CONFIGURATION = {
    "kind": "Cluster",
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "containerdConfigPatches": [
        '[plugins."io.containerd.grpc.v1.cri"]\n  restrict_oom_score_adj = true\n'
    ],
    "kubeadmConfigPatches": [
        json.dumps(
            {
                "kind": "KubeletConfiguration",
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "failCgroupV1": False,
            }
        ),
        *map(json.dumps, ALONE),
    ],
    "nodes": [{"role": role} for role in ("control-plane", "worker", "worker")],
}


@dataclass(frozen=True)
class KindCluster:
    """A running cluster; its containers are called NAME-control-plane, NAME-worker, ..."""

    name: str
    kubeconfig: Path
    engine: Engine
    network: str = "kind"

    def kubectl(self, *arguments: str, stdin: bytes = b"", timeout_seconds: float = 90) -> str:
        """Run kubectl against the cluster and return what it printed."""
        own = ["--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.kubeconfig.parent)]
        command = [str(tool(Tool.KUBECTL)), *own, *arguments]
        return run(command, stdin=stdin, timeout_seconds=timeout_seconds).text.strip()

    def kind(self, *arguments: str, timeout_seconds: float = 60) -> Completed:
        """Run kind against the engine of the cluster."""
        return kind(self.engine, *arguments, network=self.network, timeout_seconds=timeout_seconds)

    def on(self, node: str, script: str) -> str:
        """Run a shell script in a node, given by what follows the cluster's name."""
        container = self.engine.client.containers.get(f"{self.name}-{node}")
        done = container.exec_run(["sh", "-euc", script])
        assert isinstance(done.output, bytes)
        assert done.exit_code == 0, done.output
        return done.output.decode().strip()


@contextmanager
def kind_cluster(
    engine: Engine, image: str, folder: Path, network: str = "kind"
) -> Iterator[KindCluster]:
    """Create a cluster of three nodes from an image; it is deleted in any case."""
    cluster = KindCluster(f"test-{uuid4().hex[:8]}", folder / "kubeconfig", engine, network)
    configuration = folder / "kind.json"
    configuration.write_text(json.dumps(_CONFIGURATION))
    named = ["--name", cluster.name, "--kubeconfig", str(cluster.kubeconfig)]
    try:
        create = ["create", "cluster", "--retain", "--wait", "120s"]
        create += ["--image", image, "--config", str(configuration), *named]
        cluster.kind(*create, timeout_seconds=300)
        yield cluster
    finally:
        cluster.kind("delete", "cluster", *named)


def kind(engine: Engine, *arguments: str, network: str, timeout_seconds: float) -> Completed:
    path = os.environ["PATH"]
    if engine.programs is not None:
        path = f"{engine.programs.folder}:{path}"
    environment = {
        **os.environ,
        "DOCKER_HOST": engine.url,
        "PATH": path,
        "KIND_EXPERIMENTAL_DOCKER_NETWORK": network,
    }
    command = [str(tool(Tool.KIND)), *arguments]
    return run(command, environment=environment, timeout_seconds=timeout_seconds)


def tool(wanted: Tool) -> Path:
    home = Home.locate(os.environ)
    return provide_tool(wanted, home=home, announce=print, environment=os.environ).path
