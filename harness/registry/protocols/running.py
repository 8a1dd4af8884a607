"""How a registry runs: started again, replaced, configured, in pods, in another version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from http import HTTPStatus
    from pathlib import Path

    from harness.distribution_api import Endpoint
    from harness.engine import ContainerSpec
    from harness.registry.protocols.access import Registry
    from harness.scenario.model import RegistryVersion


@runtime_checkable
class Restarts(Protocol):
    """Ability of a registry: it can be stopped and started on the same storage."""

    def restart(self) -> None:
        """Restart it; healthy when this returns."""
        ...

    def wait_until_healthy(self, *, timeout_seconds: float = 20) -> None:
        """Wait until it answers after a start, as the scenario wants it: with its link's limit.

        Raises RegistryError when it does not answer in time.
        """
        ...


@dataclass(frozen=True)
class StandIn:
    """A server that can be started in a registry's place, and the port at which it answers."""

    container: ContainerSpec
    port: int


@runtime_checkable
class HasStandIn(Protocol):
    """Ability of a registry: another server can take its place and its names for a while."""

    def stand_in(self, status: HTTPStatus) -> StandIn:
        """Return a server, not started yet, that answers every request with an HTTP status."""
        ...


@runtime_checkable
class ShowsConfiguration(Protocol):
    """Ability of a registry: what it is configured with can be read."""

    def configuration(self) -> str:
        """Return the text of its configuration file (YAML), which holds secrets."""
        ...


@dataclass(frozen=True)
class PlacedPod:
    """A pod and the node on which it runs, both by the names that Kubernetes knows."""

    namespace: str
    name: str
    node_name: str


@runtime_checkable
class RunsAsPods(Protocol):
    """Ability of a registry: it is pods of a cluster that was made for this run."""

    @property
    def kubeconfig(self) -> Path:
        """How an administrator reaches the cluster."""
        ...

    def pods(self) -> tuple[PlacedPod, ...]:
        """Return its pods that are ready."""
        ...


@runtime_checkable
class RunsVersions(Protocol):
    """Ability of a lab: another version of a registry can be run for a while."""

    def in_place_of(
        self, registry: Registry, version: RegistryVersion
    ) -> AbstractContextManager[Registry]:
        """Stop a registry and run another version on a copy of its storage until the block ends.

        The other version has its names, certificates and accounts, and is told to read the same
        configuration file. The registry itself serves again at the end, as it was before.
        Raises RegistryError when the other version does not become healthy.
        """
        ...

    def by_its_own_command(
        self, registry: Registry, version: RegistryVersion
    ) -> AbstractContextManager[Endpoint]:
        """Run another version as its image does by default, with the files of a registry.

        They lie where the registry's own version looks for them. Storage and address are its
        own. Gives where it answers over plain HTTP, as it does without a configuration.
        Raises RegistryError when it does not answer.
        """
        ...
