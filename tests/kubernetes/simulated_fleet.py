"""Nodes that are objects only, and kubelets that answer for them: `python -m` runs the latter.

What each kubelet does with a pod follows from its node's name, so that whoever judges knows it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.kubernetes_api import KubernetesAPI, KubernetesError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.kubernetes_api import Json

THREADS = 8
_ATTEMPTS = 5
REFUSAL = (
    'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
    "pull access denied, repository does not exist or may require authorization: "
    "authorization failed: no basic auth credentials"
)
# As many as a kubelet lists, and as long as names in registries are.
_IMAGES = [
    {
        "names": [
            f"registry.example.invalid/team-{number}/service@sha256:{number:064x}",
            f"registry.example.invalid/team-{number}/service:2026.11.{number}",
        ],
        "sizeBytes": 100_000_000 + number,
    }
    for number in range(50)
]
_SIZE = {"cpu": "4", "memory": "16Gi", "pods": "110"}


class Kind(StrEnum):
    """How a node behaves; it is the beginning of its name."""

    GOOD = "good"
    TAINTED = "tainted"
    CORDONED = "cordoned"
    REFUSING = "refusing"
    MUTE = "mute"  # the pod runs, the event is lost
    SILENT = "silent"  # its kubelet does nothing
    REJECTING = "rejecting"  # the pod is not admitted
    NOT_READY = "notready"
    VIRTUAL = "virtual"
    WINDOWS = "windows"


_ANSWERING = frozenset({Kind.GOOD, Kind.TAINTED, Kind.CORDONED, Kind.MUTE})
_INERT = frozenset({Kind.SILENT, Kind.NOT_READY, Kind.VIRTUAL})


def node_names(**counts: int) -> list[str]:
    """Return names of so many nodes of each kind."""
    return [f"{kind}-{number:04}" for kind, count in counts.items() for number in range(count)]


def kind_of(node: str) -> Kind:
    """Return how a node behaves."""
    return Kind(node.partition("-")[0])


def pulling_seconds(node: str, image: str) -> float:
    """Return how long a node claims to pull an image: 0.2 to 3 s, whole milliseconds."""
    return (200 + zlib.crc32(f"{node} {image}".encode()) % 2800) / 1000


def create_nodes(api: KubernetesAPI, names: Iterable[str]) -> None:
    """Create nodes; several at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: api.create("/api/v1/nodes", node(name)), names))


def node(name: str) -> Json:
    """Return a node as large as those of real clusters are."""
    kind = kind_of(name)
    system = "windows" if kind is Kind.WINDOWS else "linux"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": system,
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": "zone-1",
    }
    spec: Json = {}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    match kind:
        case Kind.TAINTED:
            spec["taints"] = [{"key": "dedicated", "value": "database", "effect": "NoExecute"}]
        case Kind.CORDONED:
            spec["unschedulable"] = True
        case Kind.NOT_READY:
            ready = {"type": "Ready", "status": "False", "reason": "KubeletNotReady"}
            spec["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]
        case Kind.VIRTUAL:
            labels["type"] = "virtual-kubelet"
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "conditions": [ready],
            "capacity": _SIZE,
            "allocatable": _SIZE,
            "nodeInfo": _node_info(system),
            "images": _IMAGES,
        },
    }


def _node_info(system: str) -> Json:
    told = ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "kubeProxyVersion")
    return {
        **dict.fromkeys(told, "made-up"),
        "containerRuntimeVersion": "containerd://2.1.9",
        "kubeletVersion": "v1.36.3",
        "operatingSystem": system,
        "architecture": "amd64",
    }


class Kubelets:
    """All kubelets of the simulated nodes; each pod is answered once and removed once."""

    def __init__(self, api: KubernetesAPI, pool: ThreadPoolExecutor, diary: Path) -> None:
        self._api = api
        self._pool = pool
        self._diary = diary
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    def take(self, pod: Json) -> None:
        """Do with a pod that is bound to a node what the node's kubelet does."""
        uid, kind = pod["metadata"]["uid"], kind_of(pod["spec"]["nodeName"])
        if kind in _INERT:
            return
        if "deletionTimestamp" in pod["metadata"]:
            if uid not in self._ended:
                self._ended.add(uid)
                self._pool.submit(self._persist, lambda: self._end(pod))
        elif uid not in self._begun:
            self._begun.add(uid)
            self._pool.submit(self._persist, lambda: self._begin(pod, kind))

    def _persist(self, work: Callable[[], None]) -> None:
        """Do it again where the API failed us, as kubelets do; what is gone needs nothing."""
        for _ in range(_ATTEMPTS):
            try:
                work()
            except KubernetesError as error:
                if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                    return
                sys.stderr.write(f"{error}\n")
            else:
                return

    def _end(self, pod: Json) -> None:
        self._api.delete(_path(pod), grace_seconds=0)

    def _begin(self, pod: Json, kind: Kind) -> None:
        self._answer(pod, kind)
        with self._diary.open("a") as diary:  # one write, so lines of threads stay whole
            diary.write(f"{pod['metadata']['name']} {time.monotonic()}\n")

    def _answer(self, pod: Json, kind: Kind) -> None:
        image = pod["spec"]["containers"][0]["image"]
        if kind is Kind.REJECTING:
            status = {"phase": "Failed", "reason": "OutOfpods", "message": "Node has no room"}
            self._api.merge(f"{_path(pod)}/status", {"status": status})
            return
        self._tell(pod, "Normal", "Pulling", f'Pulling image "{image}"')
        if kind in _ANSWERING:
            self._run(pod, image, lost=kind is Kind.MUTE)
            return
        told = REFUSAL.format(image=image)
        self._tell(pod, "Warning", "Failed", f'Failed to pull image "{image}": {told}')
        waiting = {"reason": "ErrImagePull", "message": told}
        self._set_state(pod, "Pending", {"waiting": waiting})

    def _run(self, pod: Json, image: str, *, lost: bool) -> None:
        seconds = pulling_seconds(pod["spec"]["nodeName"], image)
        took = f"{seconds:.3f}s ({seconds + 0.1:.3f}s including waiting)"
        pulled = f'Successfully pulled image "{image}" in {took}. Image size: 1048576 bytes.'
        if not lost:
            self._tell(pod, "Normal", "Pulled", pulled)
            self._tell(pod, "Normal", "Created", "Container created")
            self._tell(pod, "Normal", "Started", "Container started")
        self._set_state(pod, "Running", {"running": {"startedAt": _now()}})

    def _set_state(self, pod: Json, phase: str, state: Json) -> None:
        running = "running" in state
        container = {
            "name": pod["spec"]["containers"][0]["name"],
            "image": pod["spec"]["containers"][0]["image"],
            "imageID": f"sha256:{'0' * 64}" if running else "",
            "ready": running,
            "restartCount": 0,
            "state": state,
        }
        status = {"phase": phase, "startTime": _now(), "containerStatuses": [container]}
        self._api.merge(f"{_path(pod)}/status", {"status": status})

    def _tell(self, pod: Json, kind: str, reason: str, message: str) -> None:
        about, now = pod["metadata"], _now()
        host = pod["spec"]["nodeName"]
        event = {
            "metadata": {"name": f"{about['name']}.{uuid4().hex[:16]}"},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": about["name"],
                "namespace": about["namespace"],
                "uid": about["uid"],
                "fieldPath": "spec.containers{pull}",
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": "kubelet", "host": host},
            "reportingComponent": "kubelet",
            "reportingInstance": host,
        }
        self._api.create(f"/api/v1/namespaces/{about['namespace']}/events", event)


def _path(pod: Json) -> str:
    about = pod["metadata"]
    return f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    """Be all kubelets until the process is ended, or the time is over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("diary", type=Path, help="which pod was answered when (monotonic)")
    parser.add_argument("--seconds", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    deadline = time.monotonic() + options.seconds
    with KubernetesAPI(options.kubeconfig) as api, ThreadPoolExecutor(THREADS) as pool:
        kubelets = Kubelets(api, pool, options.diary)
        while (left := int(deadline - time.monotonic())) > 0:
            _take_all(api, kubelets, options.diary, left)


def _take_all(api: KubernetesAPI, kubelets: Kubelets, diary: Path, seconds: int) -> None:
    """Take pods until the API ends the watch, as it does with readers that are slow."""
    pods, bound = "/api/v1/pods", "spec.nodeName!="
    version = api.get(pods, limit=1)["metadata"]["resourceVersion"]
    diary.touch()  # tells that from now on no pod is missed
    for pod in api.each(pods, fieldSelector=bound):
        kubelets.take(pod)
    with api.watch(
        pods, resource_version=version, timeout_seconds=seconds, fieldSelector=bound
    ) as changes:
        for change in changes:
            if change.type in ("ADDED", "MODIFIED"):
                kubelets.take(change.object)


if __name__ == "__main__":
    main()
