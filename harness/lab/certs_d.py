"""The nodes' registry configuration: what a scenario's registries make of /etc/containerd."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from harness.cluster.protocols import RuntimeAccess
from harness.hosts_toml import CERTS_D, Host, HostsFile, render
from harness.lab.lab import ability
from harness.registry.distribution import registry_names
from harness.registry.in_cluster import InClusterRegistry
from harness.scenario.model import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.cluster.protocols import Node
    from harness.registry.protocols import Registry

_NAMES_UNIT: Final = "pullproof-names.service"
# At each start of the node, because the engine then writes the file anew. It is mounted, so that
# it can be written but not replaced.
_NAMES: Final = """\
[Unit]
Description=names of registries inside the cluster, which lead to this node
Before=containerd.service

[Service]
Type=oneshot
ExecStart=sh -c 'echo "{line}" >>/etc/hosts'

[Install]
WantedBy=multi-user.target
"""


def certs_d(registries: Sequence[Registry]) -> dict[str, bytes]:
    """Return the files that nodes need: path to content, authorities and client keys included."""
    files: dict[str, bytes] = {}
    for registry in registries:
        if registry.spec.declared_on_nodes:
            name = registry.spec.name
            mirrors = [other for other in registries if other.spec.asked_first_for == name]
            text = render(
                HostsFile(host_of(registry), tuple(host_of(mirror) for mirror in mirrors))
            )
            files[hosts_file(registry.host)] = text.encode()
            files |= _credentials(registry)
    if hub := [host_of(other) for other in registries if other.spec.mirror_of == DOCKER_HUB]:
        # The last mirror is the server, so that nodes never ask docker.io itself.
        files[hosts_file(DOCKER_HUB)] = render(HostsFile(hub[-1], tuple(hub[:-1]))).encode()
    return files


def declare(nodes: Sequence[Node], registries: Sequence[Registry]) -> None:
    """Tell running nodes of all registries, and by which name each reaches those in the cluster.

    A node's runtime resolves no names of services, so that the name leads to the node itself.
    """
    files = certs_d(registries)
    inside = [each.spec for each in registries if isinstance(each, InClusterRegistry)]
    names = " ".join(name for spec in inside for name in registry_names(spec))
    for node in nodes:
        on = ability(node, RuntimeAccess)
        for path, content in files.items():
            on.write_file(path, content)
        unit = _NAMES.format(line=f"{node.address} {names}")
        on.write_file(f"/etc/systemd/system/{_NAMES_UNIT}", unit.encode())
        on.execute(["systemctl", "enable", "--now", _NAMES_UNIT])


def hosts_file(host: str) -> str:
    """Return the path of the file that tells a node how to reach a registry."""
    return f"{CERTS_D}/{host}/hosts.toml"


def authority_held(read_file: Callable[[str], bytes | None], host: str) -> bytes | None:
    """Return the authority (PEM) by which a node asks a registry's own host, None for none.

    `read_file` reads files of the node. A [host] of the registry's own name is asked before the
    server at the root; from a file that is not TOML containerd takes nothing.
    """
    content = read_file(hosts_file(host)) or b""
    try:
        document = tomllib.loads(content.decode())
    except ValueError:
        return None
    options = document.get("host", {}).get(f"https://{host}", document)
    path = options.get("ca")
    return read_file(str(path)) if path else None


def host_of(registry: Registry) -> Host:
    """Return a registry as the lab's nodes reach it."""
    files = _credentials(registry)
    folder = f"{CERTS_D}/{registry.host}"
    authority, certificate, key = (
        f"{folder}/{name}" for name in ("ca.crt", "client.cert", "client.key")
    )
    return Host(
        url=registry.endpoint.base_url,
        ca=authority if authority in files else None,
        client=(certificate, key) if certificate in files else None,
    )


def _credentials(registry: Registry) -> dict[str, bytes]:
    """Return the files by which a node trusts a registry, and by which it is trusted."""
    folder = f"{CERTS_D}/{registry.host}"
    files = {f"{folder}/ca.crt": registry.ca} if registry.ca else {}
    if pair := registry.endpoint.client_certificate:
        files[f"{folder}/client.cert"] = pair.certificate_pem
        files[f"{folder}/client.key"] = pair.key_pem.reveal().encode()
    return files
