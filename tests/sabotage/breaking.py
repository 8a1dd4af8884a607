"""Ways to break a real part of a lab: its configuration, and a restart where that needs one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.cluster.containerd_config import CONFIG_FILE
from harness.cluster.containerd_node import ContainerdNode
from harness.hosts_toml import Host, HostsFile, render
from harness.lab.certs_d import host_of, hosts_file
from harness.registry import distribution_config as config
from harness.registry import haproxy
from harness.registry.distribution import CONFIGURATION_FOLDER, DistributionRegistry
from harness.registry.replicated import ReplicatedRegistry
from harness.registry.replicated_start import BALANCER_FOLDER
from harness.scenario import kinds
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.lab import Lab
    from harness.registry.protocols import Registry

Document = dict[str, dict[str, object]]


def node_2(lab: Lab) -> ContainerdNode:
    """Return the one node that most cases break."""
    node = lab.nodes[1]
    assert isinstance(node, ContainerdNode)
    return node


def distribution(registry: Registry) -> DistributionRegistry:
    """Return a registry as what it is in every lab."""
    assert isinstance(registry, DistributionRegistry)
    return registry


def as_declared(registry: Registry) -> Host:
    """Return a registry as the lab's nodes reach it."""
    return host_of(distribution(registry))


def declare(node: ContainerdNode, host: str, server: Host, *mirrors: Host) -> None:
    """Replace what a node is told of a registry's host."""
    node.write_file(hosts_file(host), render(HostsFile(server, mirrors)).encode())


def change_runtime_config(node: ContainerdNode, change: Callable[[str], str]) -> None:
    """Change a node's configuration of containerd, which reads it when it starts again."""
    text = (node.read_file(CONFIG_FILE) or b"").decode()
    changed = change(text)
    assert changed != text
    node.write_file(CONFIG_FILE, changed.encode())


def configuration_folder(registry: Registry) -> Path:
    """Return the folder of this machine that a registry's container reads."""
    return distribution(registry).handle.folder / CONFIGURATION_FOLDER


def change_registry_config(registry: Registry, change: Callable[[Document], None]) -> None:
    """Change a registry's configuration, which it reads when it starts again."""
    file = configuration_folder(registry) / config.CONFIGURATION_FILE
    document: Document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def restart_registry(registry: Registry, change: Callable[[Document], None]) -> None:
    """Change a registry's configuration and start it again with it; healthy when this returns."""
    change_registry_config(registry, change)
    distribution(registry).restart()


def replicated(lab: Lab) -> ReplicatedRegistry:
    """Return the registry of several replicas."""
    registry = lab.find(kinds.REPLICATED)
    assert isinstance(registry, ReplicatedRegistry)
    return registry


def change_second_replica(lab: Lab, change: Callable[[Document], None]) -> None:
    """Let one replica run with another configuration than the others, which share one file."""
    registry = replicated(lab)
    file = configuration_folder(registry) / config.CONFIGURATION_FILE
    shared = file.read_text()
    change_registry_config(registry, change)
    registry.replicas[1].restart()
    file.write_text(shared)
    registry.wait_until_in_service()


def change_load_balancer(lab: Lab, change: Callable[[str], str]) -> None:
    """Change the load balancer's configuration, which it reads when it starts again."""
    file = replicated(lab).handle.folder / BALANCER_FOLDER / haproxy.CONFIGURATION_FILE
    text = file.read_text()
    changed = change(text)
    assert changed != text
    file.write_text(changed)


def restart_load_balancer(lab: Lab, change: Callable[[str], str]) -> None:
    """Change the load balancer's configuration and start it again with it."""
    change_load_balancer(lab, change)
    registry = replicated(lab)
    registry.load_balancer._container.restart()
    registry.wait_until_healthy()
    registry.wait_until_in_service()


def restart_runtime(node: ContainerdNode) -> None:
    """Start a node's runtime again, so that it reads its configuration; it may have no CRI."""
    address = node._container.address
    node._container.restart()
    assert node._container.address == address
    wait_until(node.answers, timeout_seconds=30, what=f"the runtime of {node.name} to answer")
