"""Networks of a lab."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import docker.errors

from harness.engine.errors import reported
from harness.engine.nameserver import Nameserver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker.models.networks import Network as SdkNetwork


@dataclass(frozen=True)
class Network:
    """A bridge of the engine; `subnet` is a CIDR, `gateway` the machine's address in it."""

    name: str
    id: str
    subnet: str
    gateway: str
    _client: docker.DockerClient
    _nameserver: Nameserver | None = field(default=None, repr=False)

    def remove(self) -> None:
        """Remove it; its containers must be gone. Twice does no harm."""
        if self._nameserver:
            self._nameserver.close()
        with reported(f"cannot remove network {self.name}"):
            try:
                self._client.networks.get(self.id).remove()
            except docker.errors.NotFound:
                return


def network_of(client: docker.DockerClient, network: SdkNetwork) -> Network:
    """Return a network that there is already."""
    found = network.attrs["IPAM"]["Config"][0]
    return Network(
        name=str(network.name),
        id=str(network.id),
        subnet=str(found["Subnet"]),
        gateway=str(found["Gateway"]),
        _client=client,
    )


def create_network(
    client: docker.DockerClient, name: str, labels: Mapping[str, str], *, answers: bool
) -> Network:
    """Create a bridge network; with `answers`, a nameserver of ours listens on its gateway."""
    created = client.networks.create(name, driver="bridge", labels=dict(labels))
    created.reload()
    network = network_of(client, created)
    if not answers:
        return network
    return Network(
        name=network.name,
        id=network.id,
        subnet=network.subnet,
        gateway=network.gateway,
        _client=client,
        _nameserver=_nameserver(network.gateway),
    )


def _nameserver(address: str) -> Nameserver | None:
    try:
        return Nameserver(address)
    except OSError:
        # A nameserver of the machine's own listens on all addresses: it will answer.
        return None
