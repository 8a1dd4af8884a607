"""Ways to break a part of a running lab on kind, each healed by leaving it."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from harness.cluster.kind import KindCluster
from harness.cluster.protocols import KubernetesAccess
from harness.hosts_toml import HostsFile, render
from harness.kubernetes_api import KubernetesError
from harness.lab import ability
from harness.lab.certs_d import hosts_file
from harness.registry import distribution_config
from harness.wait import wait_until
from tests.sabotage.breaking import configuration_folder, distribution, restart_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cluster.containerd_node import ContainerdNode
    from harness.hosts_toml import Host
    from harness.kubernetes_api import KubernetesAPI
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from tests.sabotage.breaking import Document

KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
KUBELET_SECONDS = 180
POLICIES_SECONDS = 120
POLICIES = "/apis/admissionregistration.k8s.io/v1"


def api_of(lab: Lab) -> KubernetesAPI:
    """Return the API of the lab's cluster."""
    return ability(lab.cluster, KubernetesAccess).api


def worker_2(lab: Lab) -> ContainerdNode:
    """Return the one node of three that most cases break."""
    assert isinstance(lab.cluster, KindCluster)
    (node,) = (node for node in lab.cluster.nodes if node.name == "worker2")
    return node


@contextmanager
def changed_file(
    node: ContainerdNode, path: str, change: Callable[[bytes], bytes]
) -> Iterator[None]:
    """Change a file of a node, which may be absent; as it was before when this is left."""
    before = node.read_file(path)
    node.write_file(path, change(before or b""))
    try:
        yield
    finally:
        if before is None:
            node.execute(["rm", "-f", path])
        else:
            node.write_file(path, before)


@contextmanager
def added_line(node: ContainerdNode, path: str, line: str) -> Iterator[None]:
    """Add a line to a file that is mounted, and so can be written but not replaced."""
    before = (node.read_file(path) or b"").decode()
    for_file = ["sh", "-c", 'printf "%s" "$1" >"$2"', "sh"]
    assert node.execute([*for_file, f"{before}{line}\n", path]).status == 0
    try:
        yield
    finally:
        node.execute([*for_file, before, path])


@contextmanager
def declared(node: ContainerdNode, host: str, server: Host, *mirrors: Host) -> Iterator[None]:
    """Replace what a node is told of a registry's host; read anew at each pull."""
    text = render(HostsFile(server, mirrors)).encode()
    with changed_file(node, hosts_file(host), lambda _: text):
        yield


@contextmanager
def kubelet_set(lab: Lab, node: ContainerdNode, **settings: object) -> Iterator[None]:
    """Run a node's kubelet with other settings; a mapping is merged into what is there."""

    def change(content: bytes) -> bytes:
        document = YAML(typ="safe", pure=True).load(io.BytesIO(content))
        for key, value in settings.items():
            known = document.get(key)
            document[key] = {**(known or {}), **value} if isinstance(value, dict) else value
        return json.dumps(document).encode()  # which is YAML as well

    try:
        with changed_file(node, KUBELET_CONFIG, change):
            restart_kubelet(lab, node)
            yield
    finally:
        restart_kubelet(lab, node)


def restart_kubelet(lab: Lab, node: ContainerdNode) -> None:
    """Restart a node's kubelet; it answers again when this returns."""
    done = node.execute(["systemctl", "restart", "kubelet"], timeout_seconds=KUBELET_SECONDS)
    assert done.status == 0, done.stderr
    cluster = ability(lab.cluster, KubernetesAccess)

    def answers() -> bool:
        try:
            path = f"/api/v1/nodes/{cluster.node_name(node)}/proxy/healthz"
            return cluster.api.text(path) == "ok"
        except KubernetesError:
            return False

    wait_until(answers, timeout_seconds=KUBELET_SECONDS, what=f"the kubelet of {node.name}")


@dataclass(frozen=True)
class Mutation:
    """What a policy of the API server sets in new objects of the run's namespaces.

    `path` is a JSON pointer, `value` an expression of CEL, in which `object` is the new one.
    """

    resource: str
    path: str
    value: str
    group: str = ""


@contextmanager
def mutated(lab: Lab, *mutations: Mutation) -> Iterator[None]:
    """Have policies change new objects; in force when this yields, no more when it is left."""
    cluster = ability(lab.cluster, KubernetesAccess)
    names = [f"sabotage-{mutation.resource}" for mutation in mutations]
    try:
        for name, mutation in zip(names, mutations, strict=True):
            cluster.api.create(f"{POLICIES}/mutatingadmissionpolicies", _policy(name, mutation))
            binding = {"metadata": {"name": name}, "spec": _bound(name, cluster)}
            cluster.api.create(f"{POLICIES}/mutatingadmissionpolicybindings", binding)
        _wait_for_probe(cluster, len(names))
        yield
    finally:
        for name in names:
            cluster.api.delete(f"{POLICIES}/mutatingadmissionpolicybindings/{name}")
            cluster.api.delete(f"{POLICIES}/mutatingadmissionpolicies/{name}")
        _wait_for_probe(cluster, 0)


def _policy(name: str, mutation: Mutation) -> dict[str, object]:
    """Return a policy that also marks config maps with its name, by which it can be waited for."""
    rule = {"operations": ["CREATE"], "apiVersions": ["v1"]}
    wanted = {**rule, "apiGroups": [mutation.group], "resources": [mutation.resource]}
    probed = {**rule, "apiGroups": [""], "resources": ["configmaps"]}
    change = f'JSONPatch{{op: "add", path: "{mutation.path}", value: {mutation.value}}}'
    mark = f'JSONPatch{{op: "add", path: "/data/{name}", value: "1"}}'
    expression = f'object.kind == "ConfigMap" ? [{mark}] : [{change}]'
    return {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [wanted, probed]},
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        },
    }


def _bound(policy: str, cluster: KubernetesAccess) -> dict[str, object]:
    namespaces = [cluster.namespace, cluster.second_namespace]
    label = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}
    selector = {"namespaceSelector": {"matchExpressions": [label]}}
    return {"policyName": policy, "matchResources": selector}


def _wait_for_probe(cluster: KubernetesAccess, marks: int) -> None:
    """Ask for a config map without having it made, until so many policies mark it."""
    path = f"/api/v1/namespaces/{cluster.second_namespace}/configmaps?dryRun=All"
    probe = {"metadata": {"name": "sabotage"}, "data": {"probe": "1"}}
    wait_until(
        lambda: len(cluster.api.create(path, probe)["data"]) - 1,
        ready=lambda seen: seen == marks,
        timeout_seconds=POLICIES_SECONDS,
        what="the policies of the API server",
    )


@contextmanager
def reconfigured(registry: Registry, change: Callable[[Document], None]) -> Iterator[None]:
    """Run a registry with another configuration."""
    file = configuration_folder(registry) / distribution_config.CONFIGURATION_FILE
    before = file.read_bytes()
    restart_registry(registry, change)
    try:
        yield
    finally:
        file.write_bytes(before)
        distribution(registry).restart()
