"""The cluster provider `existing`: somebody else's Kubernetes, of which only the API is assumed."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.cluster.existing_nodes import FoundNode, find_nodes
from harness.cluster.namespaces import namespaces_of, own_namespaces
from harness.cluster.pods import PodOrder, pull_as_pod
from harness.cluster.pull_secrets import create_secret, pull_secret
from harness.errors import HarnessError
from harness.lifecycle.reap import CONTEXT, KUBECONFIG
from harness.oci import Reference
from harness.permissions import Level, ask, require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cluster.access import Access
    from harness.cluster.namespaces import RunNamespaces
    from harness.cluster.protocols import Node, PodPull
    from harness.kubernetes_api import KubernetesAPI
    from harness.lifecycle.run import Run
    from harness.secret import Credentials

# A pod is created, bound, run and removed around each pull.
_POD_SECONDS: Final = 30


@dataclass(frozen=True)
class ExistingHandle:
    """What another process needs to use a cluster in which a run has its namespaces."""

    access: Access
    namespaces: RunNamespaces
    nodes: tuple[FoundNode, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class PullSecrets:
    """Pull secrets of our own in one namespace, one for each account that a pull was asked with.

    They go with the namespace.
    """

    api: KubernetesAPI
    namespace: str
    _names: dict[tuple[str, Credentials], str] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def names(self, reference: str, credentials: Credentials | None) -> tuple[str, ...]:
        """Return the secret with these credentials for an image, created if need be."""
        if credentials is None:
            return ()
        key = (Reference.parse(reference).host, credentials)
        with self._lock:
            if key not in self._names:
                name = f"pull-{secrets.token_hex(4)}"
                create_secret(self.api, self.namespace, name, pull_secret({key[0]: credentials}))
                self._names[key] = name
            return (self._names[key],)


@dataclass(frozen=True)
class ExistingNode:
    """A node that pulls by pods; no more than the Kubernetes API is asked of it."""

    found: FoundNode
    pull_secrets: PullSecrets

    @property
    def name(self) -> str:
        """The node's name, as Kubernetes knows it."""
        return self.found.name

    @property
    def address(self) -> str:
        """The node's address in the cluster; a registry may see another one."""
        return self.found.address

    def runtime_version(self) -> str:
        """Return the runtime's version as the node tells it, such as `1.7.24` or `cri-o://1.34`."""
        return self.found.runtime.removeprefix("containerd://")

    def pull(
        self, reference: str, credentials: Credentials | None = None, *, timeout_seconds: float = 60
    ) -> PodPull:
        """Have a pod pull an image, which asks the registry also for one that the node holds."""
        order = PodOrder(
            reference=reference,
            node=self.name,
            node_name=self.name,
            namespace=self.pull_secrets.namespace,
            pull_secrets=self.pull_secrets.names(reference, credentials),
            policy="Always",
            with_status=True,
        )
        return pull_as_pod(
            self.pull_secrets.api, order, timeout_seconds=timeout_seconds + _POD_SECONDS
        )


@dataclass(frozen=True)
class ExistingCluster:
    """A cluster that we did not make; has the ability KubernetesAccess.

    `left_out` says of each node that cannot be judged why not.
    """

    api: KubernetesAPI
    access: Access
    namespaces: RunNamespaces
    nodes: tuple[ExistingNode, ...]
    left_out: tuple[str, ...]
    provider: str = "existing"

    @property
    def namespace(self) -> str:
        """The namespace in which the run works."""
        return self.namespaces.first

    @property
    def second_namespace(self) -> str:
        """Another one, for what must not reach across namespaces."""
        return self.namespaces.second

    def node_name(self, node: Node) -> str:
        """Return the name by which Kubernetes knows a node: its own."""
        return node.name

    def handle(self) -> ExistingHandle:
        """Return what `attached` needs to use this cluster from another process."""
        found = tuple(node.found for node in self.nodes)
        return ExistingHandle(self.access, self.namespaces, found, self.left_out)

    def collect_logs(self, into: Path) -> None:
        """Write the events of the run's namespaces to `<namespace>.events` below `into`.

        Logs of nodes are their owner's.
        """
        into.mkdir(parents=True, exist_ok=True)
        for namespace in (self.namespace, self.second_namespace):
            events = self.api.list(f"/api/v1/namespaces/{namespace}/events")
            lines = (
                f"{event['involvedObject'].get('kind')}/{event['involvedObject'].get('name')} "
                f"{event.get('type')} {event.get('reason')}: {event.get('message')}\n"
                for event in events
            )
            (into / f"{namespace}.events").write_text("".join(lines))


@contextmanager
def existing_cluster(access: Access, run: Run) -> Iterator[ExistingCluster]:
    """Create the run's namespaces in a cluster, yield it, and remove them.

    Every right that the run needs is asked for first. Raises HarnessError, before anything is
    written, when one is missing or no node can be judged; KubernetesError when the API does not
    answer; WaitTimeoutError when it does not let go of a namespace at the end.
    """
    with access.api() as api:
        planned = namespaces_of(run.id)
        require(ask(api.may, Level.PROBE, (planned.first, planned.second)))
        nodes, left_out = find_nodes(api)
        if not nodes:
            raise HarnessError(
                "the cluster has no node that can be judged: " + ("; ".join(left_out) or "none"),
                remedy="bring one to Ready, or name another context",
            )
        run.journal.intend(KUBECONFIG, str(access.kubeconfig))
        run.journal.intend(CONTEXT, access.context or "")
        with own_namespaces(api, run.id) as namespaces:
            handle = ExistingHandle(access, namespaces, nodes, left_out)
            yield _cluster(handle, api)


@contextmanager
def attached(handle: ExistingHandle) -> Iterator[ExistingCluster]:
    """Use a cluster in which another process has made the run's namespaces."""
    with handle.access.api() as api:
        yield _cluster(handle, api)


def _cluster(handle: ExistingHandle, api: KubernetesAPI) -> ExistingCluster:
    pull_secrets = PullSecrets(api, handle.namespaces.first)
    nodes = tuple(ExistingNode(found, pull_secrets) for found in handle.nodes)
    return ExistingCluster(api, handle.access, handle.namespaces, nodes, handle.left_out)
