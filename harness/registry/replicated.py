"""Registries of several replicas: servers on one storage, behind a load balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urllib3

from harness.errors import RegistryError
from harness.registry import distribution, haproxy
from harness.registry.distribution import (
    DistributionRegistry,
    DistributionRegistryWithAccounts,
)
from harness.wait import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine import Container, ContainerHandle, Engine
    from harness.registry.distribution import RegistryHandle
    from harness.registry.protocols import Session


class Replica(DistributionRegistry):
    """One server of a registry, asked at its own address; the name verified is the registry's."""

    def __init__(self, handle: RegistryHandle, container: Container, name: str) -> None:
        super().__init__(handle, container)
        self.name = name

    @property
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        return self._container.known_as(self.name)


class LoadBalancer:
    """HAProxy before the replicas of a registry."""

    def __init__(self, name: str, container: Container) -> None:
        self.name = name
        self._container = container

    @property
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        return self._container.known_as(self.name)

    @property
    def address(self) -> str:
        """The address behind the registry's name."""
        return self._container.address

    def in_service(self) -> tuple[str, ...]:
        """Return the names of the replicas to which it sends connections now.

        Raises RegistryError when it does not answer.
        """
        address = self.address
        try:
            with urllib3.HTTPConnectionPool(
                address, haproxy.STATISTICS_PORT, retries=False, timeout=2
            ) as pool:
                response = pool.request("GET", haproxy.STATISTICS_PATH)
        except urllib3.exceptions.HTTPError as error:
            raise RegistryError(f"{self.name} does not tell its state: {error}") from error
        return haproxy.in_service(response.data.decode())

    def sessions_since(self, moment: float) -> tuple[Session, ...]:
        """Return the connections that ended since a moment, in seconds since the epoch."""
        return haproxy.sessions(self._container.logs(since=moment).decode("utf-8", "replace"))

    def collect_logs(self, into: Path) -> None:
        """Write its log to `<name>.log` below `into`."""
        (into / f"{self.name}.log").write_bytes(self._container.logs())


class ReplicatedRegistry(DistributionRegistry):
    """A registry of several replicas; what its storage holds is read through the first.

    All replicas append to one log, each line whole.
    """

    def __init__(
        self,
        handle: RegistryHandle,
        container: Container,
        replicas: tuple[Replica, ...],
        load_balancer: LoadBalancer,
    ) -> None:
        super().__init__(handle, container)
        self.replicas = replicas
        self.load_balancer = load_balancer

    @property
    def _front(self) -> Container:
        return self.load_balancer._container  # noqa: SLF001 - a class of this module

    def collect_logs(self, into: Path) -> None:
        """Write the replicas' log to `<name>.log`, the load balancer's to a file of its own."""
        super().collect_logs(into)
        self.load_balancer.collect_logs(into)

    def restart(self) -> None:
        """Restart one replica after the other; all in service when this returns."""
        for replica in self.replicas:
            replica.restart()
            self.wait_until_in_service()

    def memory_bytes(self) -> int:
        """Return the memory that all replicas hold now, page cache left out."""
        return sum(replica.memory_bytes() for replica in self.replicas)

    def cpu_seconds(self) -> float:
        """Return the processor time that all replicas have used since they were started."""
        return sum(replica.cpu_seconds() for replica in self.replicas)

    def open_files(self) -> int:
        """Return how many file descriptors all replicas hold now, connections among them."""
        return sum(replica.open_files() for replica in self.replicas)

    def wait_until_healthy(self, *, timeout_seconds: float = 20) -> None:
        """Wait until each replica answers, and the load balancer for them."""
        for replica in self.replicas:
            replica.wait_until_healthy(timeout_seconds=timeout_seconds)
        super().wait_until_healthy(timeout_seconds=timeout_seconds)

    def wait_until_in_service(self, *, timeout_seconds: float = 20) -> None:
        """Wait until the load balancer sends to all replicas; raises WaitTimeoutError."""
        wait_until(
            self.load_balancer.in_service,
            ready=lambda names: len(names) == len(self.replicas),
            timeout_seconds=timeout_seconds,
            what=f"all replicas of {self.spec.name} to be in service",
        )

    def settle_log(self) -> None:
        """Wait until the log holds all requests that any replica has completed before."""
        for replica in self.replicas:
            replica.settle_log()


class ReplicatedRegistryWithAccounts(ReplicatedRegistry, DistributionRegistryWithAccounts):
    """One whose accounts can be set while it runs: all replicas read the same file."""


def attach(handle: RegistryHandle, engine: Engine) -> DistributionRegistry:
    """Return a running registry, with replicas or without; nothing is taken down with it.

    Raises EngineError when a container of it is gone.
    """
    if not handle.replicas:
        return distribution.attach(handle, engine)
    replicas = tuple(
        Replica(handle, engine.required(name), f"{handle.spec.name}-{number}")
        for number, name in enumerate(handle.replicas, start=1)
    )
    balancer = LoadBalancer(
        f"{handle.spec.name}-load-balancer", engine.required(handle.load_balancer)
    )
    kind = ReplicatedRegistryWithAccounts if handle.spec.auth else ReplicatedRegistry
    return kind(handle, engine.required(handle.container), replicas, balancer)
