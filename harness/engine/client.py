"""A container engine that is ready to be used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import docker.errors

from harness.engine.containers import Container, remove_container, start_container
from harness.engine.errors import reported
from harness.engine.firewall import require_open_bridges
from harness.engine.networks import Network, network_of
from harness.engine.networks import create_network as create_network_of
from harness.errors import EngineError
from harness.pool import Pool
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker.models.containers import Container as SdkContainer

    from harness.engine.containers import ContainerSpec
    from harness.engine.programs import Programs

# kind marks a cluster's containers with the cluster's name, which for us is the run's id.
KIND_LABEL = "io.x-k8s.kind.cluster"

# The engine spends its time in the kernel, which ends a container's processes one by one.
_REMOVALS = 4


@dataclass(frozen=True)
class Engine:
    """A Docker engine and a client of it.

    `kind` tells the machine's own engine (`ambient`) from the one that the harness keeps
    below its home (`private`). `programs` are the private engine's; in their `folder` lies
    `docker`, the command line that kind calls. None where the machine has its own.
    """

    url: str
    kind: Literal["ambient", "private"]
    version: str
    client: docker.DockerClient
    programs: Programs | None = None

    def start(self, spec: ContainerSpec) -> Container:
        """Start a container; raises EngineError, also where its image is missing."""
        return start_container(spec, self.client, self.url, self._nameserver(spec))

    def container(self, name: str) -> Container | None:
        """Return a container that there is already, None where there is none."""
        with reported(f"cannot look for container {name}"):
            try:
                found = self.client.containers.get(name)
            except docker.errors.NotFound:
                return None
        return Container(name, str(found.id), self.url, self.client)

    def required(self, name: str) -> Container:
        """Return a container that must be there. Raises EngineError when it is gone."""
        container = self.container(name)
        if container is None:
            raise EngineError(f"container {name} is gone")
        return container

    def remove(self, name: str) -> None:
        """Remove a container, running or not; twice does no harm."""
        container = self.container(name)
        if container is not None:
            container.remove()

    def create_network(self, name: str, labels: Mapping[str, str]) -> Network:
        """Create a network in which containers find each other by name.

        In a private engine unknown names are answered at once for as long as this process
        lives and the network is not removed. Raises EngineError, also where the machine's
        firewall would drop what the network's containers send each other.
        """
        if self.programs is not None:
            require_open_bridges(self.programs)
        with reported(f"cannot create network {name}"):
            return create_network_of(self.client, name, labels, answers=self.kind == "private")

    def create_volume(self, name: str, labels: Mapping[str, str]) -> str:
        """Create a volume and return its name."""
        with reported(f"cannot create volume {name}"):
            return str(self.client.volumes.create(name, labels=dict(labels)).name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume and what is in it; twice does no harm."""
        with reported(f"cannot remove volume {name}"):
            try:
                self.client.volumes.get(name).remove(force=True)
            except docker.errors.NotFound:
                return

    def labelled(self, label: str, value: str) -> tuple[str, ...]:
        """Return what carries a label of that value, such as `container registry-1`."""
        return self._names(f"{label}={value}")

    def remove_labelled(self, label: str, value: str) -> tuple[str, ...]:
        """Remove containers with their volumes, networks and volumes with a label of that value.

        Returns what was there; twice does no harm. Raises EngineError when something stays.
        """
        return self._remove(f"{label}={value}")

    def remove_of_all_runs(self, label: str) -> tuple[str, ...]:
        """Remove what carries a label whatever its value: also what belongs to other runs."""
        clusters = (self.remove_labelled(KIND_LABEL, run) for run in self._values(label))
        return (*(one for removed in clusters for one in removed), *self._remove(label))

    def _values(self, label: str) -> tuple[str, ...]:
        """Return the values that a label has on networks: each run has one for its lab."""
        with reported("cannot list what the engine holds"):
            networks = self.client.networks.list(filters={"label": label})
        return tuple(str(network.attrs["Labels"][label]) for network in networks)

    def _names(self, chosen: str) -> tuple[str, ...]:
        with reported("cannot list what the engine holds"):
            containers = self._containers(chosen)
            networks = self.client.networks.list(filters={"label": chosen})
            volumes = self.client.volumes.list(filters={"label": chosen})
        return (
            *(f"container {one.name}" for one in containers),
            *(f"network {one.name}" for one in networks),
            *(f"volume {one.name}" for one in volumes),
        )

    def _containers(self, chosen: str) -> list[SdkContainer]:
        """Return containers with a label, except those that others remove at this moment."""
        return self.client.containers.list(all=True, filters={"label": chosen}, ignore_removed=True)

    def _remove(self, chosen: str) -> tuple[str, ...]:
        found = self._names(chosen)
        with reported(f"cannot remove everything labelled {chosen}"):
            containers = self._containers(chosen)
            volumes = {name for container in containers for name in _volumes_of(container)}
            with Pool(_REMOVALS) as pool:
                ids = [str(container.id) for container in containers]
                list(pool.map(partial(remove_container, self.client), ids))
            for network in self.client.networks.list(filters={"label": chosen}):
                network_of(self.client, network).remove()
            volumes |= {
                str(one.name) for one in self.client.volumes.list(filters={"label": chosen})
            }
            for name in sorted(volumes):
                self.remove_volume(name)
        if found:
            wait_until(
                lambda: self._names(chosen),
                ready=lambda left: not left,
                timeout_seconds=10,
                what=f"everything labelled {chosen} to be gone",
            )
        return found

    def _nameserver(self, spec: ContainerSpec) -> str | None:
        if self.kind == "ambient" or spec.network is None:
            return None
        with reported(f"cannot find network {spec.network}"):
            network = self.client.networks.get(spec.network)
            return network_of(self.client, network).gateway


def _volumes_of(container: SdkContainer) -> set[str]:
    """Return the names of a container's volumes.

    One that was removed while the engine created the container is made anew, without labels.
    """
    mounts = container.attrs["Mounts"]
    return {str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"}
