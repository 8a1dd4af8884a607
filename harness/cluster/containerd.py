"""The cluster provider `containerd`: node containers that run only containerd, no Kubernetes."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cluster.containerd_config import CONFIG_FILE, ContainerdConfig, lacks_sys_resource
from harness.cluster.containerd_node import (
    CONFIG_FOLDER,
    RUN_FOLDER,
    SOCKET,
    ContainerdNode,
    NodeHandle,
    write_whole,
)
from harness.cri.client import CRI
from harness.engine import Bind, ContainerSpec
from harness.errors import HarnessError, WaitTimeoutError
from harness.pool import Pool
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.engine import Engine
    from harness.scenario.model import ClusterSpec

_READY_SECONDS = 30
_STATE_FOLDER = "/var/lib/containerd"


@dataclass(frozen=True)
class ClusterHandle:
    """What another process needs to use a cluster that it does not own."""

    nodes: tuple[NodeHandle, ...]


@dataclass(frozen=True)
class ContainerdCluster:
    """Nodes of this provider; whoever made them takes them down."""

    nodes: tuple[ContainerdNode, ...]
    provider: str = "containerd"

    def handle(self) -> ClusterHandle:
        """Return what `attached` needs to use these nodes from another process."""
        return ClusterHandle(tuple(node.handle for node in self.nodes))

    def collect_logs(self, into: Path) -> None:
        """Write each node's runtime log to `<node>.log` below `into`."""
        into.mkdir(parents=True, exist_ok=True)
        for node in self.nodes:
            (into / f"{node.name}.log").write_text(node.runtime_log())


@dataclass(frozen=True)
class NodeParts:
    """What all nodes of a cluster are made of.

    `image` is the engine's id of a node image, `network` a network's name, `folder` the run's
    folder. `files` are written before containerd starts: paths below /etc/containerd, such as
    hosts.toml files and authorities; one that replaces config.toml is taken as it is.
    """

    image: str
    network: str
    folder: Path
    labels: Mapping[str, str]
    run_id: str
    files: Mapping[str, bytes]


@contextmanager
def containerd_cluster(
    spec: ClusterSpec, parts: NodeParts, engine: Engine
) -> Iterator[ContainerdCluster]:
    """Start all nodes at once, yield them when their runtimes answer, and remove them.

    Raises EngineError when a container does not start, WaitTimeoutError with the runtime's
    log when it does not answer.
    """
    names = [f"node-{number}" for number in range(1, spec.nodes + 1)]
    with ExitStack() as stack:
        stack.callback(_remove_all, names, parts, engine)
        # Where one fails or we are interrupted, the others are waited for: only when nothing is
        # being started any more can all be removed.
        with Pool(len(names)) as pool:
            handles = list(pool.map(lambda name: _start(name, parts, engine), names))
        nodes = [stack.enter_context(_opened(handle, engine)) for handle in handles]
        for node in nodes:
            _wait_until_ready(node)
        yield ContainerdCluster(tuple(nodes))


@contextmanager
def attached(handle: ClusterHandle, engine: Engine) -> Iterator[ContainerdCluster]:
    """Use a cluster that another process owns; nothing is torn down but our connections.

    Raises HarnessError when a node is gone.
    """
    with ExitStack() as stack:
        yield ContainerdCluster(
            tuple(stack.enter_context(_opened(node, engine)) for node in handle.nodes)
        )


@contextmanager
def _opened(handle: NodeHandle, engine: Engine) -> Iterator[ContainerdNode]:
    container = engine.container(handle.container_id)
    if container is None:
        raise HarnessError(f"{handle.name} is gone: its container was removed")
    with CRI(handle.socket) as cri:
        yield ContainerdNode(handle, container, cri)


def _start(name: str, parts: NodeParts, engine: Engine) -> NodeHandle:
    folder = parts.folder / name
    config = ContainerdConfig(
        socket=SOCKET,
        uid=os.getuid(),
        gid=os.getgid(),
        restrict_oom_score=lacks_sys_resource(Path("/proc/self/status").read_text()),
    )
    (folder / "run").mkdir(parents=True, exist_ok=True)
    for path, content in {CONFIG_FILE: config.render(), **parts.files}.items():
        write_whole(folder / "etc" / Path(path).relative_to(CONFIG_FOLDER), content)
    full_name = _full_name(name, parts)
    container = engine.start(
        ContainerSpec(
            name=full_name,
            image=parts.image,
            hostname=name,
            labels=parts.labels,
            network=parts.network,
            binds=(
                Bind(folder / "etc", CONFIG_FOLDER, read_only=False),
                Bind(folder / "run", RUN_FOLDER, read_only=False),
            ),
            # On the container's own overlay the overlayfs snapshotter would not work.
            volumes={engine.create_volume(full_name, parts.labels): _STATE_FOLDER},
            # Unpacking a layer mounts a snapshot; nothing else here needs a capability.
            cap_add=("SYS_ADMIN",),
            security_opt=("apparmor=unconfined",),
        )
    )
    return NodeHandle(name, container.id, str(folder))


def _remove_all(names: Sequence[str], parts: NodeParts, engine: Engine) -> None:
    with Pool(len(names)) as pool:
        list(pool.map(lambda name: _remove(name, parts, engine), names))


def _remove(name: str, parts: NodeParts, engine: Engine) -> None:
    full_name = _full_name(name, parts)
    engine.remove(full_name)
    engine.remove_volume(full_name)


def _full_name(name: str, parts: NodeParts) -> str:
    return f"{parts.run_id}-{name}"


def _wait_until_ready(node: ContainerdNode) -> None:
    """Wait for the runtime's first answer, which may be that its CRI has not loaded.

    That is for `runtime_conditions` to tell: it is a fault of the system under test.
    """
    try:
        wait_until(
            node.answers,
            timeout_seconds=_READY_SECONDS,
            what=f"the runtime of {node.name} to answer",
        )
    except WaitTimeoutError as error:
        raise WaitTimeoutError(f"{error}\n  its log ends: {node.runtime_log()[-2000:]}") from error
