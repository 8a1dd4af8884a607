"""The lab as checks see it: nodes, registries by kind, abilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from harness.errors import RegistryError
from harness.findings import NotVerified
from harness.registry.replication import Replication
from harness.scenario import kinds
from harness.secret import new_password

if TYPE_CHECKING:
    from pathlib import Path

    from harness.clients import ClientTools, Replicates
    from harness.clients.container import ToolsHandle
    from harness.clients.replicator import Replicator
    from harness.cluster.containerd import ClusterHandle
    from harness.cluster.existing import ExistingHandle
    from harness.cluster.kind import KindHandle
    from harness.cluster.protocols import Cluster, Node
    from harness.monitoring import Monitors
    from harness.monitoring.container import MonitorHandle
    from harness.registry.distribution import RegistryHandle
    from harness.registry.existing import ExistingRegistry
    from harness.registry.in_cluster import InClusterRegistry
    from harness.registry.protocols import Registry, RunsVersions
    from harness.registry.versions import VersionsHandle
    from harness.scenario.kinds import Kind
    from harness.scenario.model import RegistryVersion, Scenario
    from harness.secret import Credentials, Secret

AbilityT = TypeVar("AbilityT")


def ability(thing: object, protocol: type[AbilityT]) -> AbilityT:
    """Return `thing` as something that has an ability. Raises NotVerified where it has not."""
    if not isinstance(thing, protocol):
        name = protocol.__name__
        raise NotVerified(f"{type(thing).__name__} does not offer {name}", lacking=name)
    return thing


@dataclass(frozen=True)
class LabHandle:
    """What another process needs to use a lab that it does not own.

    `secret` begins every password of the run; `folder` is the run's own.
    """

    cluster: ClusterHandle | KindHandle | ExistingHandle
    registries: tuple[RegistryHandle | InClusterRegistry | ExistingRegistry, ...]
    secret: Secret
    folder: Path
    tools: ToolsHandle | None = None
    versions: VersionsHandle | None = None
    monitor: MonitorHandle | None = None


@dataclass(frozen=True)
class Lab:
    """A running cluster and its registries; whoever made it takes it down.

    `replicators` are there only for whoever made it: checks see what they do, never them.
    """

    scenario: Scenario
    cluster: Cluster
    registries: tuple[Registry, ...]
    handle: LabHandle
    tools: ClientTools | None = None
    versions: RunsVersions | None = None
    replicators: tuple[Replicator, ...] = ()
    monitor: Monitors | None = None

    @property
    def lock_file(self) -> Path:
        """The file by which checks of several processes share the lab."""
        return self.handle.folder / "lab.lock"

    def new_password(self) -> Secret:
        """Return a password that nobody has used and that is found in all outputs of the run."""
        return new_password(self.handle.secret)

    def replications(self) -> tuple[Replicates, ...]:
        """Return who is kept equal to whom. Raises NotVerified where nobody is."""
        if not self.scenario.replication:
            raise NotVerified("the scenario has no replication", lacking="Replicates")
        named = {registry.spec.name: registry for registry in self.registries}
        return tuple(
            Replication(spec, named[spec.source], named[spec.destination])
            for spec in self.scenario.replication
        )

    def client_tools(self) -> ClientTools:
        """Return the programs beside the registries. Raises NotVerified where none can run."""
        if self.tools is None:
            raise NotVerified("no programs run in this lab's network", lacking="ClientTools")
        return self.tools

    def monitoring(self) -> tuple[Monitors, Registry]:
        """Return the monitoring system, and the registry that it scrapes. Raises NotVerified."""
        if self.monitor is None:
            raise NotVerified("nothing monitors the registries", lacking="Monitors")
        scraped = self.monitor.registry
        return self.monitor, next(each for each in self.registries if each.spec.name == scraped)

    def other_versions(self) -> RunsVersions:
        """Return what runs other versions of registries. Raises NotVerified where nothing does."""
        if self.versions is None:
            raise NotVerified("no other version runs in this lab", lacking="RunsVersions")
        return self.versions

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the cluster."""
        return self.cluster.nodes

    @property
    def primary(self) -> Registry:
        """The registry under test."""
        return self.registries[0]

    def find_all(self, kind: Kind) -> tuple[Registry, ...]:
        """Return all registries of a kind. Raises NotVerified when there is none."""
        found = tuple(registry for registry in self.registries if kind.matches(registry.spec))
        if not found:
            raise NotVerified(f"the scenario has no registry {kind.words}")
        return found

    def find(self, kind: Kind) -> Registry:
        """Return the first registry of a kind. Raises NotVerified when there is none."""
        return self.find_all(kind)[0]

    def find_two(self, kind: Kind) -> tuple[Registry, Registry]:
        """Return two registries of a kind. Raises NotVerified when there are not so many."""
        found = self.find_all(kind)
        if len(found) < 2:  # noqa: PLR2004 - two, as the name says
            raise NotVerified(f"the scenario has only one registry {kind.words}")
        return found[0], found[1]

    def mirrored(self) -> tuple[Registry, Registry, Registry]:
        """Return an origin and its first two mirrors. Raises NotVerified without them."""
        origin = self.find(kinds.mirrored(self.scenario))
        mirrors = self.find_all(kinds.mirror_of(origin.spec))
        if len(mirrors) < 2:  # noqa: PLR2004 - an order needs two
            raise NotVerified(f"the scenario has only one registry that mirrors {origin.spec.name}")
        return origin, mirrors[0], mirrors[1]

    def cached(self) -> tuple[Registry, Registry]:
        """Return an upstream and its pull-through cache. Raises NotVerified without a cache."""
        cache = self.find(kinds.CACHE)
        return self.find(kinds.upstream_of(cache.spec)), cache

    def to_be_upgraded(self) -> tuple[Registry, RegistryVersion]:
        """Return a registry and the version to which it is upgraded. Raises NotVerified."""
        self.other_versions()
        for registry in self.registries:
            version = registry.spec.upgrade_to
            if version is not None and registry.spec.has_accounts:
                return registry, version
        raise NotVerified("the scenario has no registry with accounts that is to be upgraded")

    def privately_mirrored(self) -> tuple[Registry, Registry]:
        """Return an origin and a mirror with accounts of its own. Raises NotVerified."""
        origin = self.find(kinds.mirrored(self.scenario))
        return origin, self.find(kinds.private_mirror_of(origin.spec))


def credentials_of(registry: Registry) -> Credentials:
    """Return a registry's credentials. Raises RegistryError where it asks for none."""
    if registry.credentials is None:
        raise RegistryError(f"{registry.host} has no accounts")
    return registry.credentials
