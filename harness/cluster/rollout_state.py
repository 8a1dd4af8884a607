"""Deployments, DaemonSets and claims in the JSON of the API: how they are written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.cluster.rollout_model import Claim, ControllerKind, RolledPod, hang_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cluster.protocols import PodEvent
    from harness.cluster.rollout_model import Hang, Workload
    from harness.kubernetes_api import Json

CONTAINER: Final = "main"
WORKLOAD_LABEL: Final = "pullproof.workload"
DATA_FOLDER: Final = "/data"

_NOBODY: Final = 65532


def workload_body(workload: Workload) -> Json:
    """Write a workload as the API wants it."""
    labels = {WORKLOAD_LABEL: workload.name}
    spec: Json = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": _pod_spec(workload)},
    }
    if workload.kind is ControllerKind.DEPLOYMENT:
        spec["replicas"] = workload.replicas
        spec["strategy"] = {"type": workload.strategy}
    else:
        # All nodes at once: one that hangs does not keep the others from being judged.
        spec["updateStrategy"] = {"rollingUpdate": {"maxUnavailable": "100%"}}
    return {
        "apiVersion": "apps/v1",
        "kind": workload.kind.value,
        "metadata": {"name": workload.name, "labels": labels},
        "spec": spec,
    }


def claim_body(name: str) -> Json:
    """Write a claim of a volume of the default storage class that one node mounts at a time."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "8Mi"}},
        },
    }


def read_claim(found: Json) -> Claim:
    """Read a claim. Access modes are those of the volume, or of the wish while there is none."""
    status, spec = found.get("status") or {}, found["spec"]
    return Claim(
        name=str(found["metadata"]["name"]),
        access_modes=tuple(status.get("accessModes") or spec.get("accessModes") or ()),
        storage_class=str(spec.get("storageClassName") or ""),
        phase=str(status.get("phase", "Pending")),
    )


def is_complete(kind: ControllerKind, controller: Json) -> bool:
    """Whether a Deployment or DaemonSet says of its newest specification that all is done.

    The same conditions as those of `kubectl rollout status`; all pods are new and available,
    and no old one is left.
    """
    status = controller.get("status") or {}
    if status.get("observedGeneration", 0) < controller["metadata"]["generation"]:
        return False
    if kind is ControllerKind.DAEMON_SET:
        wanted = status.get("desiredNumberScheduled", 0)
        told = ("updatedNumberScheduled", "numberAvailable", "currentNumberScheduled")
    else:
        wanted = controller["spec"]["replicas"]
        told = ("updatedReplicas", "availableReplicas", "replicas")
    return all(status.get(count, 0) == wanted for count in told)


def state_in_words(controller: Json) -> str:
    """Say what a Deployment or DaemonSet reports: counts, and conditions that are not well."""
    status = controller.get("status") or {}
    counts = [f"{name} {value}" for name, value in sorted(status.items()) if isinstance(value, int)]
    generation = f"generation {controller['metadata']['generation']}"
    return "; ".join([", ".join([generation, *counts]), *refusals_of(controller)])


def refusals_of(controller: Json) -> tuple[str, ...]:
    """Return conditions by which a controller says that it cannot go on: `reason: message`."""
    conditions = (controller.get("status") or {}).get("conditions") or ()
    bad = {("Progressing", "False"), ("ReplicaFailure", "True")}
    return tuple(_told(each) for each in conditions if (each["type"], each["status"]) in bad)


def read_pod(pod: Json, events: Iterable[PodEvent]) -> RolledPod:
    """Read a pod of a workload; `events` are its own."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    container: Json = next(iter(status.get("containerStatuses") or ()), {})
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in status.get("conditions") or ()
    )
    waiting = (container.get("state") or {}).get("waiting") or {}
    ending = "deletionTimestamp" in metadata
    return RolledPod(
        name=str(metadata["name"]),
        node=str(spec.get("nodeName") or ""),
        image=str(spec["containers"][0]["image"]),
        image_id=str(container.get("imageID") or ""),
        ready=ready,
        ending=ending,
        waiting_reason=str(waiting.get("reason", "")),
        hang=None if ready or ending else _hang(status, waiting, events),
    )


def _hang(status: Json, waiting: Json, events: Iterable[PodEvent]) -> Hang:
    reasons = [_told(waiting)] if waiting else []
    reasons += [
        _told(each)
        for each in status.get("conditions") or ()
        if each["type"] == "PodScheduled" and each["status"] == "False"
    ]
    return hang_of(reasons, events)


def _told(thing: Json) -> str:
    return f"{thing.get('reason', '')}: {thing.get('message', '')}"


def _pod_spec(workload: Workload) -> Json:
    """Write pods that the Pod Security level `restricted` admits."""
    container: Json = {
        "name": CONTAINER,
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec: Json = {
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "imagePullSecrets": [{"name": secret} for secret in workload.pull_secrets],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "fsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if workload.kind is ControllerKind.DAEMON_SET:
        spec["tolerations"] = [{"operator": "Exists"}]
    if workload.claim:
        container["volumeMounts"] = [{"name": "data", "mountPath": DATA_FOLDER}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": workload.claim}}]
    return spec
