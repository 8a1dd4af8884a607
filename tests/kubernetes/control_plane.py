"""A real control plane without any node: etcd, API server, controllers and scheduler as processes.

Nodes are objects that somebody makes through the API; whoever makes them answers for them. No
controller watches over nodes here, so nobody taints those whose kubelet is simulated.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from random import SystemRandom
from typing import TYPE_CHECKING

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.home import Home
from harness.images.go_programs import compile_programs
from harness.images.model import Image
from harness.images.recipe import load_recipes
from harness.kubernetes_api import KubernetesAPI, KubernetesError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_TOKEN = "of-a-control-plane-that-listens-on-loopback-only"
_CONTROLLERS = ("daemonset-controller", "garbage-collector-controller")
_OF_NAMESPACES = ("namespace-controller", "serviceaccount-controller")
# Below those that Linux gives to connections (net.ipv4.ip_local_port_range).
_PORTS = range(20000, 30000)
# Kubernetes' own limits would make 1000 pods take minutes; they are not what is measured here.
_REQUESTS_PER_SECOND = 1000


@dataclass(frozen=True)
class Programs:
    """Where etcd lies, and the program that is all of Kubernetes."""

    etcd: Path
    kubernetes: Path


def compiled_programs() -> Programs:
    """Return the programs of the newest Kubernetes that node images are built of."""
    kubernetes = load_recipes()[Image.KIND_NODE_1_36].kubernetes
    assert kubernetes is not None
    compiled = compile_programs(kubernetes, home=Home.locate(os.environ), announce=print)
    named = {program.name: program for program in compiled}
    return Programs(named["etcd"], named["kubernetes"])


@contextmanager
def control_plane(programs: Programs, folder: Path) -> Iterator[Path]:
    """Start all four, and yield the kubeconfig of an administrator once the API is ready."""
    ports = _free_ports(3)
    kubeconfig = _write_identity(folder, ports[0])
    with ExitStack() as processes:
        _start(processes, programs.etcd, _etcd(folder, *ports[1:]), folder)
        _start(processes, programs.kubernetes, _api_server(folder, *ports[:2]), folder)
        with KubernetesAPI(kubeconfig) as api:
            wait_until(
                lambda: _is_ready(api),
                timeout_seconds=60,
                what=f"the API server to be ready; it logs to {folder}",
                interval_seconds=0.2,
            )
        _start(processes, programs.kubernetes, _controller_manager(kubeconfig), folder)
        _start(processes, programs.kubernetes, _scheduler(folder, kubeconfig), folder)
        yield kubeconfig


def _is_ready(api: KubernetesAPI) -> bool:
    try:
        return api.text("/readyz") == "ok"
    except KubernetesError:
        return False


def _start(processes: ExitStack, program: Path, command: Sequence[str], folder: Path) -> None:
    """Start a program under a name; it is ended with the stack."""
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            command, executable=program, stdout=log, stderr=subprocess.STDOUT
        )
    processes.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody has, and that the kernel gives to no connection meanwhile."""
    return list(islice(filter(_is_free, SystemRandom().sample(_PORTS, len(_PORTS))), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_identity(folder: Path, port: int) -> Path:
    """Write certificates, the administrator's token and the key of service accounts."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "server.crt")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    authority.cert_pem.write_to_path(folder / "ca.crt")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "accounts.key").write_bytes(key)
    (folder / "tokens.csv").write_text(f'{_TOKEN},admin,admin,"system:masters"\n')
    server = f"https://127.0.0.1:{port}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": server, "certificate-authority": str(folder / "ca.crt")},
            }
        ],
        "users": [{"name": "test", "user": {"token": _TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(document))
    return kubeconfig


def _etcd(folder: Path, client_port: int, peer_port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    return [
        "etcd",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
    ]


def _api_server(folder: Path, port: int, etcd_port: int) -> list[str]:
    return [
        "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--tls-cert-file={folder / 'server.crt'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
    ]


def _controller_manager(kubeconfig: Path) -> list[str]:
    return [
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join((*_CONTROLLERS, *_OF_NAMESPACES))}",
        f"--kube-api-qps={_REQUESTS_PER_SECOND}",
        f"--kube-api-burst={_REQUESTS_PER_SECOND}",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def _scheduler(folder: Path, kubeconfig: Path) -> list[str]:
    connection = {
        "kubeconfig": str(kubeconfig),
        "qps": _REQUESTS_PER_SECOND,
        "burst": _REQUESTS_PER_SECOND,
    }
    file = folder / "scheduler.json"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "clientConnection": connection,
                "leaderElection": {"leaderElect": False},
            }
        )
    )
    return ["kube-scheduler", f"--config={file}", "--secure-port=0"]
