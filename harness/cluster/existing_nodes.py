"""The nodes of a cluster that exists: which can be judged, and why the others cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.oci import machine_architecture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.kubernetes_api import Json, KubernetesAPI


@dataclass(frozen=True)
class FoundNode:
    """A node as the API tells of it; `address` is its internal one, empty where it has none.

    `runtime` and `kubelet` are versions: `containerd://1.7.24` and `v1.36.3`. Pods of the run
    are bound to the node, so it matters not whether it is `schedulable`.
    """

    name: str
    address: str
    runtime: str
    kubelet: str
    schedulable: bool


def find_nodes(api: KubernetesAPI) -> tuple[tuple[FoundNode, ...], tuple[str, ...]]:
    """Return all nodes that can be judged, by name, and a sentence for each other one."""
    return judgeable(api.list("/api/v1/nodes"), machine_architecture())


def judgeable(
    objects: Iterable[Json], architecture: str
) -> tuple[tuple[FoundNode, ...], tuple[str, ...]]:
    """Tell nodes that are ready, run Linux and our images from those that cannot be judged."""
    found: list[FoundNode] = []
    left_out: list[str] = []
    for node in sorted(objects, key=lambda each: str(each["metadata"]["name"])):
        obstacle = _obstacle(node, architecture)
        if obstacle:
            left_out.append(f"node {node['metadata']['name']} is left out: {obstacle}")
        else:
            found.append(_found(node))
    return tuple(found), tuple(left_out)


def _obstacle(node: Json, architecture: str) -> str:
    """Say why a node cannot be judged, empty where it can."""
    status = node["status"]
    ready = [each for each in status.get("conditions") or () if each["type"] == "Ready"]
    if not ready or ready[0]["status"] != "True":
        told = ready[0].get("message", "") if ready else "it has not told anything yet"
        return f"it is not Ready: {told}"
    info = status["nodeInfo"]
    platform = f"{info['operatingSystem']}/{info['architecture']}"
    if platform != f"linux/{architecture}":
        return f"it is of the platform {platform}, and images of this run are linux/{architecture}"
    return ""


def _found(node: Json) -> FoundNode:
    status = node["status"]
    addresses = {each["type"]: str(each["address"]) for each in status.get("addresses") or ()}
    return FoundNode(
        name=str(node["metadata"]["name"]),
        address=addresses.get("InternalIP", ""),
        runtime=str(status["nodeInfo"]["containerRuntimeVersion"]),
        kubelet=str(status["nodeInfo"]["kubeletVersion"]),
        schedulable=not node.get("spec", {}).get("unschedulable", False),
    )
