"""A registry of several servers, and the load balancer before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from harness.distribution_api import DistributionAPI
    from harness.engine import ContainerHandle
    from harness.secret import Credentials


@dataclass(frozen=True)
class Session:
    """One connection as a load balancer's log tells it.

    `server` is the name of the replica, empty where none took it. `redispatched` tells that it
    took it in place of one that did not answer, of which the client noticed nothing.
    """

    client: str
    server: str
    redispatched: bool


class Server(Protocol):
    """One server of a registry; `name` is its own in reports."""

    name: str

    @property
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        ...

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client of this server alone, which verifies the registry's name."""
        ...


class Balancer(Protocol):
    """What stands before the servers of a registry; `name` is its own in reports."""

    name: str

    @property
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        ...

    @property
    def address(self) -> str:
        """The address behind the registry's name, under which its servers see all clients."""
        ...

    def in_service(self) -> tuple[str, ...]:
        """Return the names of the servers to which it sends connections now.

        Raises RegistryError when it does not answer.
        """
        ...

    def sessions_since(self, moment: float) -> tuple[Session, ...]:
        """Return the connections that ended since a moment, in seconds since the epoch."""
        ...


@runtime_checkable
class HasReplicas(Protocol):
    """Ability of a registry: several servers on one storage answer for it."""

    @property
    def replicas(self) -> tuple[Server, ...]:
        """All of them, each to be asked alone."""
        ...


@runtime_checkable
class HasLoadBalancer(Protocol):
    """Ability of a registry: what stands before its servers can be asked and broken."""

    @property
    def load_balancer(self) -> Balancer:
        """The load balancer, which has the registry's name."""
        ...
