"""The cluster provider `kind`: real Kubernetes, its nodes containers beside the registries."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import command, machine
from harness.cluster.containerd_config import lacks_sys_resource
from harness.cluster.containerd_node import ContainerdNode, NodeHandle, RuntimePlace
from harness.cluster.kind_config import CONTROL_PLANE, RELAY_FOLDER, KindConfig, node_names
from harness.cluster.namespaces import RunNamespaces, create_namespaces
from harness.cri.client import CRI
from harness.engine.client import KIND_LABEL
from harness.errors import CommandError, EngineError, HarnessError
from harness.kubernetes_api import KubernetesAPI
from harness.pool import Pool
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.cluster.protocols import Node
    from harness.engine import Engine
    from harness.scenario.model import ClusterSpec

_SOCKET = "/run/containerd/containerd.sock"
_PLACE = RuntimePlace(
    _SOCKET,
    ("journalctl", "--no-pager", "--unit", "containerd"),
    bound=False,
    unit="containerd",
)
# Limits end what hangs: a busy machine takes some times longer than the half minute of a quiet one.
_CREATE_SECONDS = 600
_LOAD_SECONDS = 300
_READY_SECONDS = 300
_RELAY_SECONDS = 60
# A unit of the node's own, so that a node that starts again can be called as before.
_RELAY_UNIT = "pullproof-cri.service"
_RELAY = """\
[Unit]
Description=the runtime's socket, as the machine below reaches it

[Service]
ExecStart=socat UNIX-LISTEN:{socket},fork,unlink-early,{owner} UNIX-CONNECT:{runtime}
Restart=always

[Install]
WantedBy=multi-user.target
"""
_SECONDS = len("2026-11-26T18:00:00")
# Seen with Kubernetes 1.36: 26 on a control plane, 11 on a worker.
_INOTIFY_INSTANCES = (30, 12)


@dataclass(frozen=True)
class KindHandle:
    """What another process needs to use a cluster that it does not own."""

    name: str
    nodes: tuple[NodeHandle, ...]
    kubeconfig: Path
    namespaces: RunNamespaces


@dataclass(frozen=True)
class KindCluster:
    """A cluster of kind, which is Kubernetes made for a run. Its nodes also answer to the CRI."""

    nodes: tuple[ContainerdNode, ...]
    api: KubernetesAPI
    name: str
    namespaces: RunNamespaces
    provider: str = "kind"

    @property
    def namespace(self) -> str:
        """The namespace in which the run works."""
        return self.namespaces.first

    @property
    def kubeconfig(self) -> Path:
        """How an administrator reaches it."""
        return self.api.kubeconfig

    @property
    def second_namespace(self) -> str:
        """Another one, for what must not reach across namespaces."""
        return self.namespaces.second

    def node_name(self, node: Node) -> str:
        """Return the name by which Kubernetes knows a node: the cluster's and the node's."""
        return f"{self.name}-{node.name}"

    def unready(self) -> tuple[str, ...]:
        """Return the nodes whose kubelets have not told since they started that they are ready."""
        return _unready(self.api, self.name, self.nodes)

    def handle(self) -> KindHandle:
        """Return what `attached` needs to use this cluster from another process."""
        nodes = tuple(node.handle for node in self.nodes)
        return KindHandle(self.name, nodes, self.api.kubeconfig, self.namespaces)

    def collect_logs(self, into: Path) -> None:
        """Write each node's journal, with the runtime's and the kubelet's, to `<node>.log`."""
        into.mkdir(parents=True, exist_ok=True)
        with Pool(len(self.nodes)) as pool:
            for node, journal in zip(self.nodes, pool.map(_journal, self.nodes), strict=True):
                (into / f"{node.name}.log").write_bytes(journal)


@dataclass(frozen=True)
class KindParts:
    """What a cluster is made of.

    `image` is the name of a node image in the engine's store, `network` a network's name,
    `folder` the run's, `kind` the command line. `files` are written to every node: paths below
    /etc/containerd/certs.d, which containerd reads anew at each pull. `loaded` are images of the
    engine's store that every node is given.
    """

    image: str
    network: str
    folder: Path
    name: str
    labels: Mapping[str, str]
    files: Mapping[str, bytes]
    kind: Path
    loaded: tuple[str, ...] = ()

    @property
    def kubeconfig(self) -> Path:
        """Where kind writes how to reach the cluster, readable for its owner only."""
        return self.folder / "kubeconfig"

    def node_folder(self, node: str) -> Path:
        """Return a node's folder on this machine."""
        return self.folder / node

    def run_kind(self, engine: Engine, *arguments: str, timeout_seconds: float) -> None:
        """Run kind, which calls `docker`, against the engine. Raises CommandError."""
        path = os.environ.get("PATH", "")
        if engine.programs is not None:
            path = f"{engine.programs.folder}:{path}"
        environment = {
            **os.environ,
            "DOCKER_HOST": engine.url,
            "PATH": path,
            "KIND_EXPERIMENTAL_PROVIDER": "docker",
            "KIND_EXPERIMENTAL_DOCKER_NETWORK": self.network,
        }
        command.run(
            [self.kind, *arguments, "--name", self.name],
            environment=environment,
            timeout_seconds=timeout_seconds,
        )


@contextmanager
def kind_cluster(spec: ClusterSpec, parts: KindParts, engine: Engine) -> Iterator[KindCluster]:
    """Create a cluster, yield it when all nodes are ready, and remove it.

    Raises EngineError with what kind printed when the cluster does not come up; its logs then
    lie in `logs` below the run's folder.
    """
    names = node_names(spec.nodes)
    _require_inotify_instances(len(names))
    with ExitStack() as stack:
        stack.callback(engine.remove_labelled, KIND_LABEL, parts.name)
        with _told_by_logs(parts, engine):
            _create(spec, parts, engine)
            api = stack.enter_context(KubernetesAPI(parts.kubeconfig))
            nodes = tuple(
                stack.enter_context(_opened(handle, engine))
                for handle in _prepared(names, parts, engine)
            )
            wait_until(
                lambda: _unready(api, parts.name, nodes),
                ready=lambda unready: not unready,
                timeout_seconds=_READY_SECONDS,
                interval_seconds=0.2,
                what="all nodes to be ready",
            )
            namespaces = create_namespaces(api, parts.name, parts.labels)
        yield KindCluster(nodes, api, parts.name, namespaces)


@contextmanager
def _told_by_logs(parts: KindParts, engine: Engine) -> Iterator[None]:
    """Export the nodes' logs where the cluster does not come up, be it that nodes never join."""
    try:
        yield
    except HarnessError as error:
        _export_logs(parts, engine)
        raise EngineError(
            f"kind did not create the cluster: {error}",
            remedy="read the nodes' journals below `logs` in the results",
        ) from error


@contextmanager
def attached(handle: KindHandle, engine: Engine) -> Iterator[KindCluster]:
    """Use a cluster that another process owns; nothing is torn down but our connections."""
    with KubernetesAPI(handle.kubeconfig) as api, ExitStack() as stack:
        nodes = tuple(stack.enter_context(_opened(node, engine)) for node in handle.nodes)
        yield KindCluster(nodes, api, handle.name, handle.namespaces)


def _require_inotify_instances(nodes: int) -> None:
    """Fail before anything is created: without them kubelets end, and nodes never join."""
    first, others = _INOTIFY_INSTANCES
    needed = first + others * (nodes - 1)
    spare = machine.spare_inotify_instances()
    if spare < needed:
        raise EngineError(
            f"a cluster of {nodes} nodes needs about {needed} inotify instances, and the kernel "
            f"grants root only {max(0, spare)} more",
            remedy="end other clusters of kind, or raise fs.inotify.max_user_instances with sysctl",
        )


def _create(spec: ClusterSpec, parts: KindParts, engine: Engine) -> None:
    relays = tuple(parts.node_folder(name) / "run" for name in node_names(spec.nodes))
    for folder in relays:
        folder.mkdir(parents=True, exist_ok=True)
    config = KindConfig(
        relays=relays,
        kubelet=spec.kubelet,
        first_cgroups=not Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        restrict_oom_score=lacks_sys_resource(Path("/proc/self/status").read_text()),
    )
    file = parts.folder / "kind.json"
    file.write_bytes(config.render())
    named = ["--image", parts.image, "--config", str(file), "--kubeconfig", str(parts.kubeconfig)]
    # Nodes are retained for the sake of their logs; we remove them in any case.
    create = ["create", "cluster", "--retain", "--wait", "0s", *named]
    parts.run_kind(engine, *create, timeout_seconds=_CREATE_SECONDS)
    if parts.loaded:
        load = ["load", "docker-image", *parts.loaded]
        parts.run_kind(engine, *load, timeout_seconds=_LOAD_SECONDS)


def _prepared(names: tuple[str, ...], parts: KindParts, engine: Engine) -> list[NodeHandle]:
    with Pool(len(names)) as pool:
        return list(pool.map(lambda name: _prepare(name, parts, engine), names))


def _prepare(name: str, parts: KindParts, engine: Engine) -> NodeHandle:
    """Tell a node of the registries, and let us call its runtime through a socket of ours."""
    full_name = f"{parts.name}-{name}"
    container = engine.container(full_name)
    if container is None:
        raise EngineError(f"kind made no container {full_name}")
    for path, content in parts.files.items():
        container.put_file(path, content)
    owner = f"user={os.getuid()},group={os.getgid()},mode=600"
    relay = _RELAY.format(socket=f"{RELAY_FOLDER}/cri.sock", owner=owner, runtime=_SOCKET)
    container.put_file(f"/etc/systemd/system/{_RELAY_UNIT}", relay.encode())
    done = container.execute(["systemctl", "enable", "--now", _RELAY_UNIT])
    if done.status != 0:
        raise EngineError(f"{full_name} does not relay its runtime's socket: {done.stderr}")
    folder = str(parts.node_folder(name))
    return NodeHandle(name, container.id, folder, _PLACE)


@contextmanager
def _opened(handle: NodeHandle, engine: Engine) -> Iterator[ContainerdNode]:
    container = engine.container(handle.container_id)
    if container is None:
        raise HarnessError(f"{handle.name} is gone: its container was removed")
    wait_until(
        handle.socket.exists, timeout_seconds=_RELAY_SECONDS, what=f"the runtime of {handle.name}"
    )
    with CRI(handle.socket) as cri:
        yield ContainerdNode(handle, container, cri)


def _unready(api: KubernetesAPI, name: str, nodes: Sequence[ContainerdNode]) -> tuple[str, ...]:
    """Return the nodes of a cluster that have not joined, or are not ready since they started."""
    told = {str(each["metadata"]["name"]): each["status"] for each in api.list("/api/v1/nodes")}
    return tuple(
        node.name
        for node in nodes
        if not _is_ready(told.get(f"{name}-{node.name}", {}), since=node.started_at)
    )


def _journal(node: ContainerdNode) -> bytes:
    """Return a node's journal, empty where the node was broken so that it does not answer."""
    try:
        return node.execute(["journalctl", "--no-pager"], timeout_seconds=20).stdout
    except HarnessError:
        return b""


def _is_ready(status: dict[str, list[dict[str, str]]], *, since: str) -> bool:
    """Whether a kubelet has told so since a moment: what it told before stands until it lapses.

    Kubernetes writes whole seconds.
    """
    return any(
        each["type"] == "Ready"
        and each["status"] == "True"
        and each["lastHeartbeatTime"][:_SECONDS] >= since[:_SECONDS]
        for each in status.get("conditions", [])
    )


def _export_logs(parts: KindParts, engine: Engine) -> None:
    folder = parts.folder / "logs" / CONTROL_PLANE
    with suppress(CommandError):
        parts.run_kind(engine, "export", "logs", str(folder), timeout_seconds=60)
