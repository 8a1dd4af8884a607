"""Builds a lab: network, registries and nodes at the same time, and takes it down again."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.clients.container import NAME as TOOLS
from harness.clients.container import ToolsHandle, tools_container
from harness.clients.container import attach as attached_tools
from harness.clients.replicator import Replicator, name_of, receivers, replicator
from harness.cluster.containerd import NodeParts, containerd_cluster
from harness.cluster.containerd import attached as attached_containerd
from harness.cluster.existing import ExistingHandle
from harness.cluster.kind import KindCluster, KindHandle, KindParts, kind_cluster
from harness.cluster.kind import attached as attached_kind
from harness.engine.blackhole import add_blackhole, remove_blackhole
from harness.errors import HarnessError
from harness.images.model import Image
from harness.lab.certs_d import certs_d, declare
from harness.lab.lab import Lab, LabHandle
from harness.lab.parts import (
    REGISTRY_IMAGES,
    beside,
    inside,
    is_upstream,
    monitored,
    needs_tools,
    node_image,
)
from harness.monitoring.container import NAME as MONITOR
from harness.monitoring.container import MonitorHandle, prometheus_container
from harness.monitoring.container import attach as attached_monitor
from harness.pool import Pool
from harness.registry.distribution import DistributionRegistry, RegistryHandle, metrics_target
from harness.registry.distribution_start import distribution_registry
from harness.registry.in_cluster import InClusterRegistry
from harness.registry.in_cluster_start import Site as InClusterSite
from harness.registry.replicated import attach as attached_registry
from harness.registry.replicated_start import container_names, replicated_registry
from harness.registry.stand_in import stand_in_name
from harness.registry.versions import Versions, VersionsHandle
from harness.trust import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.clients.container import ToolsContainer
    from harness.cluster.containerd import ClusterHandle, ContainerdCluster
    from harness.engine import Engine
    from harness.images.model import ProvidedImage
    from harness.lifecycle.run import Run
    from harness.monitoring.container import PrometheusContainer
    from harness.scenario.model import RegistrySpec, ReplicationSpec, Scenario
    from harness.secret import Credentials, Secret

Built = DistributionRegistry | InClusterRegistry
AUTHORITIES = ("private-ca", "another-ca")


@dataclass(frozen=True)
class _Site:
    """Where a lab is being built, and with what."""

    scenario: Scenario
    engine: Engine
    images: Mapping[Image, ProvidedImage]
    run: Run
    secret: Secret
    network: str
    authorities: Mapping[str, Authority]

    def registry(
        self, spec: RegistrySpec, upstream: DistributionRegistry | None = None
    ) -> AbstractContextManager[DistributionRegistry]:
        name = f"{self.run.id}-{spec.name}"
        containers: tuple[str, ...] = (name,)
        start: Callable[..., AbstractContextManager[DistributionRegistry]]
        told = receivers(spec.name, self.scenario.replication)
        start = partial(distribution_registry, upstream=upstream, receivers=told)
        if is_upstream(spec, self.scenario):
            start = partial(start, stand_in_image_id=self.images[Image.LOAD_BALANCER].id)
            containers = (name, stand_in_name(name))
        if spec.replicas > 1:
            balancer = self.images[Image.LOAD_BALANCER].id
            start = partial(replicated_registry, load_balancer_image_id=balancer)
            containers = container_names(name, spec.replicas)
        for container in containers:
            self.run.journal.intend("container", container)
        return start(
            spec,
            engine=self.engine,
            image_id=self.images[REGISTRY_IMAGES[spec.version]].id,
            network=self.network,
            labels=self.run.labels,
            name=name,
            folder=self.run.folder / spec.name,
            authorities=self.authorities,
            run_secret=self.secret,
        )

    def tools(
        self, registries: Sequence[DistributionRegistry]
    ) -> AbstractContextManager[ToolsContainer | None]:
        """Return the programs that checks run, nothing where none does."""
        if not needs_tools(self.scenario):
            return nullcontext()
        name = f"{self.run.id}-{TOOLS}"
        self.run.journal.intend("container", name)
        return tools_container(
            ToolsHandle(name, self.run.folder / TOOLS),
            engine=self.engine,
            image_id=self.images[Image.TOOLS].id,
            network=self.network,
            labels=self.run.labels,
            accounts=_accounts(registries),
            authorities=[self.authorities["private-ca"].certificate_pem],
        )

    def replicator(
        self, spec: ReplicationSpec, registries: Sequence[DistributionRegistry]
    ) -> AbstractContextManager[Replicator]:
        name = f"{self.run.id}-{name_of(spec)}"
        self.run.journal.intend("container", name)
        return replicator(
            spec,
            engine=self.engine,
            image_id=self.images[Image.TOOLS].id,
            network=self.network,
            labels=self.run.labels,
            name=name,
            folder=self.run.folder / name_of(spec),
            hosts={each.spec.name: each.host for each in registries},
            accounts=_accounts(registries),
            authorities=[self.authorities["private-ca"].certificate_pem],
        )

    def monitor(self) -> AbstractContextManager[PrometheusContainer | None]:
        """Return what scrapes a registry, nothing where no check asks it."""
        spec = monitored(self.scenario)
        if spec is None:
            return nullcontext()
        name = f"{self.run.id}-{MONITOR}"
        self.run.journal.intend("container", name)
        return prometheus_container(
            MonitorHandle(name, self.run.folder / MONITOR, spec.name),
            engine=self.engine,
            image_id=self.images[Image.PROMETHEUS].id,
            network=self.network,
            labels=self.run.labels,
            target=metrics_target(spec),
        )

    def inside(
        self, cluster: ContainerdCluster | KindCluster, helm: Path | None
    ) -> tuple[InClusterRegistry, ...]:
        """Install the registries that are pods of the cluster."""
        wanted = inside(self.scenario, self.images)
        if not wanted:
            return ()
        if helm is None or not isinstance(cluster, KindCluster):
            raise HarnessError("registries inside a cluster take a cluster of kind, and helm")
        site = InClusterSite(
            kubeconfig=cluster.kubeconfig,
            addresses=tuple(node.address for node in cluster.nodes),
            helm=helm,
            folder=self.run.folder,
            authority=self.authorities["private-ca"],
            run_secret=self.secret,
        )
        return site.install(wanted)

    def versions(self) -> VersionsHandle:
        """Return what it takes to run other versions of registries."""
        ids = {
            version: self.images[image].id
            for version, image in REGISTRY_IMAGES.items()
            if image in self.images
        }
        return VersionsHandle(ids, self.network, self.run)

    def cluster(
        self, files: Mapping[str, bytes], kind: Path | None
    ) -> AbstractContextManager[ContainerdCluster | KindCluster]:
        spec, run = self.scenario.cluster, self.run
        image = self.images[node_image(spec)]
        run.journal.intend("cluster", run.id)
        if kind is not None:
            made_of = KindParts(
                image=image.reference,
                network=self.network,
                folder=run.folder,
                name=run.id,
                labels=run.labels,
                files=files,
                kind=kind,
                loaded=tuple({name for _, name in inside(self.scenario, self.images)}),
            )
            return kind_cluster(spec, made_of, self.engine)
        parts = NodeParts(
            image=image.id,
            network=self.network,
            folder=run.folder,
            labels=run.labels,
            run_id=run.id,
            files=files,
        )
        return containerd_cluster(spec, parts, self.engine)


@contextmanager
def started_lab(
    scenario: Scenario,
    *,
    engine: Engine,
    images: Mapping[Image, ProvidedImage],
    run: Run,
    secret: Secret,
    kind: Path | None = None,
    helm: Path | None = None,
) -> Iterator[Lab]:
    """Build what the scenario describes; ready for checks when this yields.

    The scenario's cluster provider has been chosen; `kind` and `helm` are the command lines of
    these names, needed for that provider and for registries inside its cluster. Every password
    of the lab begins with `secret`, so that one secret need be looked for in outputs. At the end
    nodes go first: nothing may send to a network that is being removed.
    """
    with ExitStack() as stack:
        network = stack.enter_context(_network(engine, run))
        authorities = {name: Authority.create(name) for name in AUTHORITIES}
        site = _Site(scenario, engine, images, run, secret, network, authorities)
        monitor = stack.enter_context(site.monitor())
        built = stack.enter_context(_all_at_once(site))
        tools = stack.enter_context(site.tools(built))
        replicators = tuple(
            stack.enter_context(site.replicator(spec, built)) for spec in scenario.replication
        )
        cluster = stack.enter_context(site.cluster(certs_d(built), kind))
        pods = site.inside(cluster, helm)
        registries = _in_order(scenario, (*built, *pods))
        if pods:
            declare(cluster.nodes, registries)
        versions = Versions(site.versions(), engine)
        handle = LabHandle(
            cluster=cluster.handle(),
            registries=tuple(
                each if isinstance(each, InClusterRegistry) else each.handle for each in registries
            ),
            secret=secret,
            folder=run.folder,
            tools=tools.handle if tools else None,
            versions=versions.handle,
            monitor=monitor.handle if monitor else None,
        )
        yield Lab(
            scenario, cluster, registries, handle, tools, versions, replicators, monitor=monitor
        )


def _in_order(scenario: Scenario, registries: Sequence[Built]) -> tuple[Built, ...]:
    """Return registries as the scenario has them."""
    named = {each.spec.name: each for each in registries}
    return tuple(named[spec.name] for spec in scenario.registries)


def _accounts(registries: Sequence[DistributionRegistry]) -> dict[str, Credentials]:
    return {each.host: each.credentials for each in registries if each.credentials}


@contextmanager
def attached_lab(handle: LabHandle, scenario: Scenario, engine: Engine) -> Iterator[Lab]:
    """Use a lab that another process has built; nothing is taken down with it."""
    registries = tuple(
        attached_registry(each, engine) if isinstance(each, RegistryHandle) else each
        for each in handle.registries
    )
    tools = attached_tools(handle.tools, engine) if handle.tools else None
    with _attached_cluster(handle.cluster, engine) as cluster:
        versions = Versions(handle.versions, engine) if handle.versions else None
        monitor = attached_monitor(handle.monitor, engine) if handle.monitor else None
        yield Lab(scenario, cluster, registries, handle, tools, versions, monitor=monitor)


def _attached_cluster(
    handle: ClusterHandle | KindHandle | ExistingHandle, engine: Engine
) -> AbstractContextManager[ContainerdCluster | KindCluster]:
    if isinstance(handle, KindHandle):
        return attached_kind(handle, engine)
    if isinstance(handle, ExistingHandle):
        raise HarnessError("a lab that exists is used without an engine")
    return attached_containerd(handle, engine)


@contextmanager
def _network(engine: Engine, run: Run) -> Iterator[str]:
    """Create the run's network, with a route of last resort that outlives it.

    Should anything still send to an address of the lab once its network is gone, the packets
    must not leave the machine through the default route.
    """
    run.journal.intend("network", run.id)
    network = engine.create_network(run.id, run.labels)
    guarded = _may_change_routes(engine)
    try:
        if guarded:
            run.journal.intend("blackhole", network.subnet)
            add_blackhole(network.subnet)
        yield network.name
    finally:
        network.remove()
        if guarded:
            remove_blackhole(network.subnet)


def _may_change_routes(engine: Engine) -> bool:
    return os.geteuid() == 0 and engine.url.startswith("unix://")


@contextmanager
def _all_at_once(site: _Site) -> Iterator[tuple[DistributionRegistry, ...]]:
    """Start all registries beside the cluster at the same time; remove them at the same time.

    Caches come after the others: Distribution ends when its upstream does not answer it at its
    start (`registry/proxy/proxyauth.go`).
    """
    specs = beside(site.scenario)
    started: list[AbstractContextManager[DistributionRegistry]] = []

    def start(
        manager: AbstractContextManager[DistributionRegistry],
    ) -> DistributionRegistry:
        registry = manager.__enter__()
        started.append(manager)
        return registry

    try:
        with Pool(max(1, len(specs))) as pool:
            origins = [site.registry(spec) for spec in specs if spec.proxy_of is None]
            ready = {registry.spec.name: registry for registry in pool.map(start, origins)}
            caches = [site.registry(spec, ready[spec.proxy_of]) for spec in specs if spec.proxy_of]
            ready |= {registry.spec.name: registry for registry in pool.map(start, caches)}
        yield tuple(ready[spec.name] for spec in specs)
    finally:
        with Pool(max(1, len(started))) as pool:
            list(pool.map(lambda manager: manager.__exit__(None, None, None), started))
