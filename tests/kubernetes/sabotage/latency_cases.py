"""Slow nodes, and kubelets whose figures stand still."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.cluster.protocols import KubernetesAccess
from harness.faults.fault import injected
from harness.faults.link import SlowLink
from harness.findings import Code
from harness.history import History
from harness.kubernetes_api import KubernetesError
from harness.lab import ability
from harness.wait import wait_until
from tests.kubernetes.sabotage.breaking import KUBELET_SECONDS, restart_kubelet, worker_2
from tests.kubernetes.sabotage.case import Case, red
from tests.kubernetes.sabotage.credential_cases import WORKER_2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harness.cluster.containerd_node import ContainerdNode
    from harness.lab import Lab

# 1 MiB takes more than 8 s; the target is 6 s.
ONE_MEGABIT = 125_000
# The third image of 256 KiB waits for two others, 8 s each; the target is 10 s.
QUARTER_MEGABIT = 32_000

KUBELET_PORT, OTHER_PORT = 10250, 10251
CERTIFICATE = "/var/lib/kubelet/pki/kubelet"
UNIT = "stale-metrics"
FOLDER = f"/var/lib/kubelet/{UNIT}"  # /run is a file system that only the node sees
# Reads a request to its end, which is an empty line, and answers the same each time.
SCRIPT = f"""#!/bin/sh
while read -r line && [ ${{#line}} -gt 1 ]; do :; done
exec cat {FOLDER}/answer
"""
REDIRECTION = [
    *("PREROUTING", "-p", "tcp", "--dport", str(KUBELET_PORT)),
    *("-j", "REDIRECT", "--to-ports", str(OTHER_PORT)),
]


def _slow(lab: Lab, bytes_per_second: int) -> AbstractContextManager[SlowLink]:
    fault = SlowLink(worker_2(lab).container, bytes_per_second)
    return injected(fault, into=History(), time_limit_seconds=600)


@contextmanager
def _stale_metrics(lab: Lab) -> Iterator[None]:
    """Put something in front of worker2's kubelet that answers with the metrics of before."""
    node, cluster = worker_2(lab), ability(lab.cluster, KubernetesAccess)
    path = f"/api/v1/nodes/{cluster.node_name(node)}/proxy/metrics"
    body = cluster.api.text(path).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    node.write_file(f"{FOLDER}/answer", head.encode() + body)
    node.write_file(f"{FOLDER}/script", SCRIPT.encode())
    listen = f"OPENSSL-LISTEN:{OTHER_PORT},reuseaddr,fork,verify=0"
    pair = f"cert={CERTIFICATE}.crt,key={CERTIFICATE}.key"
    try:
        _run(
            node,
            *("systemd-run", "--collect"),
            "--unit",
            UNIT,
            "socat",
            f"{listen},{pair}",
            f"SYSTEM:sh {FOLDER}/script",
        )
        _run(node, "iptables-legacy", "--wait", "-t", "nat", "-I", *REDIRECTION)
        # which ends the connections by which the API server asks the kubelet
        _run(node, "systemctl", "restart", "kubelet")
        wait_until(
            lambda: _told(cluster, path) == body,
            timeout_seconds=KUBELET_SECONDS,
            what="what stands in front of the kubelet to answer",
        )
        yield
    finally:
        node.execute(["systemctl", "stop", UNIT])
        node.execute(["rm", "-r", FOLDER])
        _run(node, "iptables-legacy", "--wait", "-t", "nat", "-D", *REDIRECTION)
        restart_kubelet(lab, node)


def _told(cluster: KubernetesAccess, path: str) -> bytes:
    """Return what is answered now, nothing where nobody answers."""
    try:
        return cluster.api.text(path).encode()
    except KubernetesError:
        return b""


def _run(node: ContainerdNode, *arguments: str) -> None:
    done = node.execute(arguments)
    assert done.status == 0, done.stderr


CASES = (
    Case(
        name="node-has-a-slow-link",
        broken=lambda lab: _slow(lab, ONE_MEGABIT),
        turns_red=red(Code.TARGET_MISSED, "cold-pulls-of-one-pod-at-a-time-1mib"),
        subjects=WORKER_2,
    ),
    Case(
        name="images-wait-behind-a-very-slow-link",
        broken=lambda lab: _slow(lab, QUARTER_MEGABIT),
        turns_red=red(Code.TARGET_MISSED, "pods-that-start-together-wait-for-images"),
        subjects=WORKER_2,
        bystanders=("unknown-ca-is-refused-on-every-node",),
    ),
    Case(
        name="kubelet-metrics-are-stale",
        broken=_stale_metrics,
        turns_red=red(Code.METRICS, "kubelets-count-their-pulls"),
        subjects=WORKER_2,
    ),
)
