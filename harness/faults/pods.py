"""What happens to pods of a cluster that was made for a run: deleted, evicted from their node.

A cluster that existed before the run must never be broken so: only what has the ability
MadeForRun or RunsAsPods gives the kubeconfig that these take.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError
from harness.kubernetes_api import KubernetesAPI, KubernetesError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.kubernetes_api import Json

_EVICTED_SECONDS: Final = 60
_INTERVAL_SECONDS: Final = 0.2
# https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
_STATIC: Final = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class PodDeleted:
    """A pod was deleted, and its controller has replaced it; a disruption.

    The other pod is waited for so long. `known_as` is the pod's name in reports, where its own
    would be another one in each run.
    """

    kubeconfig: Path
    namespace: str
    pod: str
    replaced_seconds: float = 60
    known_as: str = ""

    @property
    def name(self) -> str:
        """What happened."""
        return "deleted and replaced"

    @property
    def subject(self) -> str:
        """The pod."""
        return self.known_as or f"{self.namespace}/{self.pod}"

    def cause(self) -> None:
        """Delete it; as many pods of its controller are ready when this returns as before.

        Raises HarnessError for a pod that nobody would replace.
        """
        pods = f"/api/v1/namespaces/{self.namespace}/pods"
        with KubernetesAPI(self.kubeconfig) as api:
            deleted = api.get(f"{pods}/{self.pod}")
            owner, uid = _controller(deleted), str(deleted["metadata"]["uid"])
            if not owner:
                raise HarnessError(
                    f"pod {self.subject} has no controller that would replace it",
                    remedy="delete a pod of a Deployment, a StatefulSet or a DaemonSet",
                )
            wanted = len(_ready(api.list(pods), owner))
            api.delete(f"{pods}/{self.pod}")
            wait_until(
                lambda: _ready(api.list(pods), owner),
                ready=lambda ready: len(ready) >= wanted and uid not in ready,
                timeout_seconds=self.replaced_seconds,
                interval_seconds=_INTERVAL_SECONDS,
                what=f"the pod {self.subject} to be replaced",
            )


@dataclass(frozen=True)
class NodeDrained:
    """A node takes no new pods, and those that controllers can start elsewhere have left it.

    As `kubectl drain --ignore-daemonsets`: disruption budgets are respected. `node_name` is the
    node's in Kubernetes, `node` the one in reports.
    """

    kubeconfig: Path
    node_name: str
    node: str

    @property
    def name(self) -> str:
        """What is wrong."""
        return "drained"

    @property
    def subject(self) -> str:
        """The node."""
        return self.node

    def inject(self) -> None:
        """Cordon it and evict its pods; they are gone when this returns."""
        with KubernetesAPI(self.kubeconfig) as api:
            self._cordon(api, unschedulable=True)
            wait_until(
                lambda: [self._evict(api, pod) for pod in self._evictable(api)],
                ready=lambda left: not left,
                timeout_seconds=_EVICTED_SECONDS,
                interval_seconds=_INTERVAL_SECONDS,
                what=f"all pods to leave {self.node}",
            )

    def heal(self) -> None:
        """Let it take pods again; those that have left do not come back by themselves."""
        with self._reached() as api:
            if api is not None:
                self._cordon(api, unschedulable=False)

    def is_active(self) -> bool:
        """Whether it takes no pods."""
        with self._reached() as api:
            return api is not None and bool(api.get(self._path)["spec"].get("unschedulable"))

    @property
    def _path(self) -> str:
        return f"/api/v1/nodes/{self.node_name}"

    @contextmanager
    def _reached(self) -> Iterator[KubernetesAPI | None]:
        """Give the cluster, None when the run that it was made for has removed it."""
        if not self.kubeconfig.exists():
            yield None
            return
        with KubernetesAPI(self.kubeconfig) as api:
            yield api

    def _cordon(self, api: KubernetesAPI, *, unschedulable: bool) -> None:
        api.merge(self._path, {"spec": {"unschedulable": unschedulable or None}})

    def _evictable(self, api: KubernetesAPI) -> list[Json]:
        found = api.list("/api/v1/pods", fieldSelector=f"spec.nodeName={self.node_name}")
        return [pod for pod in found if not _stays(pod)]

    def _evict(self, api: KubernetesAPI, pod: Json) -> str:
        """Ask for an eviction and name the pod; a budget may refuse it for now."""
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        }
        try:
            api.create(f"{path}/eviction", eviction)
        except KubernetesError as error:
            if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS):
                raise
        return str(meta["name"])


def _controller(pod: Json) -> str:
    """Return the uid of what controls a pod, empty where nothing would make another one.

    A node stands as the controller of the pods that its own files describe.
    """
    owners = pod["metadata"].get("ownerReferences", ())
    found = (owner for owner in owners if owner.get("controller") and owner["kind"] != "Node")
    return "".join(str(owner["uid"]) for owner in found)


def _ready(pods: tuple[Json, ...], owner: str) -> set[str]:
    """Return the uids of ready pods with that controller that are not ending."""
    return {
        str(pod["metadata"]["uid"])
        for pod in pods
        if _controller(pod) == owner
        and "deletionTimestamp" not in pod["metadata"]
        and any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in pod["status"].get("conditions", ())
        )
    }


def _stays(pod: Json) -> bool:
    """Whether a drain leaves a pod: of a DaemonSet, of the node's own files, or ended."""
    owners = pod["metadata"].get("ownerReferences", ())
    return (
        any(owner["kind"] == "DaemonSet" for owner in owners)
        or _STATIC in pod["metadata"].get("annotations", {})
        or pod["status"].get("phase") in ("Succeeded", "Failed")
    )
