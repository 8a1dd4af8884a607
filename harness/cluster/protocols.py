"""What a cluster and a node can do, apart by ability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.command import Completed
    from harness.diagnosis import Diagnosis
    from harness.engine import ContainerHandle
    from harness.kubernetes_api import KubernetesAPI
    from harness.secret import Credentials


@dataclass(frozen=True)
class Pull:
    """One attempt of one node to pull one image.

    `started` and `ended` are seconds since the epoch; `duration_seconds` comes from the
    monotonic clock. `image_id` is what the runtime answered; `failure` is None on success.
    """

    node: str
    reference: str
    started: float
    ended: float
    duration_seconds: float
    image_id: str | None
    failure: Diagnosis | None

    @property
    def succeeded(self) -> bool:
        """Whether the runtime reported the image as pulled."""
        return self.failure is None


@dataclass(frozen=True)
class PodEvent:
    """One event of a pod: `type` is Normal or Warning."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class PodPull(Pull):
    """A pull that a kubelet made, or spared itself, for a pod.

    `duration_seconds` is what we waited for; what the kubelet tells of its own time is in
    `pulling_seconds` and `queueing_seconds`, None where it told nothing (its events are rate
    limited). `image_id` is the pod's, a repository with the manifest's digest. `waiting_reason`
    is why the container waited when the kubelet refused, such as ErrImagePull; empty on success.
    """

    waiting_reason: str = ""
    already_present: bool = False
    pulling_seconds: float | None = None
    queueing_seconds: float | None = None
    events: tuple[PodEvent, ...] = ()


@runtime_checkable
class Node(Protocol):
    """A machine of the cluster that runs containers."""

    @property
    def name(self) -> str:
        """The node's name, unique in its cluster."""
        ...

    @property
    def address(self) -> str:
        """The address that registries see the node's requests come from."""
        ...

    def pull(
        self, reference: str, credentials: Credentials | None = None, *, timeout_seconds: float = 60
    ) -> Pull:
        """Pull an image as a pod on this node would; a refusal is a result, not an exception."""
        ...


@runtime_checkable
class RuntimeAccess(Protocol):
    """Ability of a node: its files, its container runtime and that runtime's log."""

    def read_file(self, path: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        ...

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file whole, making its folders."""
        ...

    def list_files(self, folder: str) -> tuple[str, ...]:
        """Return the paths of all files below a folder, sorted; empty where there is none."""
        ...

    def execute(self, arguments: Sequence[str], *, timeout_seconds: float = 30) -> Completed:
        """Run a command on the node."""
        ...

    def remove_image(self, reference: str) -> None:
        """Remove an image with its content from the runtime, so that the next pull is cold."""
        ...

    def runtime_version(self) -> str:
        """Return the runtime's version, such as `1.7.24`."""
        ...

    def runtime_conditions(self) -> dict[str, str]:
        """Return the CRI's conditions that are not met: type to reason and message."""
        ...

    def runtime_config(self) -> str:
        """Return the runtime's effective configuration as TOML."""
        ...

    def runtime_log(self) -> str:
        """Return the runtime's log so far."""
        ...

    def content_digests(self, digests: Sequence[str]) -> dict[str, str]:
        """Hash stored blobs on the node: wanted digest to the digest of the bytes found.

        A digest that the node does not hold is absent from the answer.
        """
        ...


@runtime_checkable
class InContainer(Protocol):
    """Ability of a node or a registry: it is a container of the lab, which faults can break."""

    @property
    def container(self) -> ContainerHandle:
        """The container, under the name that reports use."""
        ...


@runtime_checkable
class RunsRuntime(Protocol):
    """Ability of a node: its container runtime can be stopped and started."""

    @property
    def container(self) -> ContainerHandle:
        """The container that is the node."""
        ...

    @property
    def runtime_unit(self) -> str:
        """The runtime's unit of systemd, empty where it is the process of the container."""
        ...

    def answers(self) -> bool:
        """Whether the runtime takes requests now."""
        ...


@runtime_checkable
class Cluster(Protocol):
    """Nodes that pull from registries."""

    @property
    def provider(self) -> str:
        """The provider's name, as in the scenario."""
        ...

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        ...

    def collect_logs(self, into: Path) -> None:
        """Write what the cluster's parts logged to files below `into`."""
        ...


@runtime_checkable
class MadeForRun(Protocol):
    """Ability of a cluster: it is Kubernetes that was made for this run, so it may be broken."""

    @property
    def kubeconfig(self) -> Path:
        """How an administrator reaches it."""
        ...

    def unready(self) -> tuple[str, ...]:
        """Return the nodes whose kubelets have not told since they started that they are ready."""
        ...


@runtime_checkable
class KubernetesAccess(Protocol):
    """Ability of a cluster: it is Kubernetes, and this run has two namespaces of its own in it."""

    @property
    def api(self) -> KubernetesAPI:
        """The Kubernetes API, with the rights that the run was given."""
        ...

    @property
    def namespace(self) -> str:
        """The namespace in which the run works."""
        ...

    @property
    def second_namespace(self) -> str:
        """Another one, for what must not reach across namespaces."""
        ...

    def node_name(self, node: Node) -> str:
        """Return the name by which Kubernetes knows a node; reports may use a shorter one."""
        ...
