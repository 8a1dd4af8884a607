"""Reads nodes, pods and events of the Kubernetes API, as plain JSON, for what a fleet needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.diagnosis import diagnose
from harness.fleet.model import Fell, FleetNode, Gap, Hindered, Missing, Pulled, Ran

if TYPE_CHECKING:
    from harness.fleet.model import Sign

Json = dict[str, Any]

# Labels of nodes behind which no machine runs a kubelet: of virtual-kubelet itself, and of EKS,
# whose Fargate nodes hold one pod each.
_VIRTUAL: Final = {"type": "virtual-kubelet", "eks.amazonaws.com/compute-type": "fargate"}

# Waiting reasons of k8s.io/kubernetes/pkg/kubelet/images/types.go.
_REFUSALS: Final = (
    *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "ImageInspectError"),
    *("InvalidImageName", "RegistryUnavailable", "SignatureValidationFailed"),
)
# A container that waits for one of these may still start.
_PATIENCE: Final = ("", "ContainerCreating", "PodInitializing")

# Go's time.Duration as text: 1h2m3.5s, 350ms, 12.5µs.
_DURATION: Final = re.compile(r"([0-9.]+)(h|ms|m|s|µs|us|ns)")
_UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6}
# k8s.io/kubernetes/pkg/kubelet/images/image_manager.go
_PULLED: Final = re.compile(r'Successfully pulled image "([^"]+)" in ([0-9hmsµun.]+)')
_NAMES_IMAGE: Final = re.compile(r'image "([^"]+)"')


def read_node(node: Json, platform: str) -> FleetNode:
    """Read a node, and whether a pod of a platform such as linux/amd64 is to be expected there."""
    status = node.get("status") or {}
    return FleetNode(node["metadata"]["name"], _missing_at(node, status, platform))


@dataclass(frozen=True)
class Reader:
    """Reads signs of one sample: of the image with this reference, in pods of this DaemonSet."""

    reference: str
    daemon_set: str

    def pod(self, pod: Json) -> Sign | None:
        """Read a pod; None where it is on its way."""
        node = (pod.get("spec") or {}).get("nodeName", "")
        status = pod.get("status") or {}
        match status.get("phase"):
            case "Running" | "Succeeded":
                return Ran(node)
            case "Failed":
                return Fell(node, Missing(Gap.NOT_ADMITTED, _words(status)))
        return None

    def event(self, event: Json) -> Sign | None:
        """Read an event; None where it tells nothing of this sample.

        The pods' own events name the node as their source.
        """
        about = event.get("involvedObject") or {}
        name = about.get("name", "")
        if about.get("kind") == "DaemonSet" and name == self.daemon_set:
            return _hindrance(event, "")
        if about.get("kind") != "Pod" or not name.startswith(f"{self.daemon_set}-"):
            return None
        node = (event.get("source") or {}).get("host") or event.get("reportingInstance", "")
        message = event.get("message", "")
        named = _NAMES_IMAGE.search(message)
        if named is None or named[1] != self.reference:
            return _hindrance(event, node)
        if event.get("reason") == "Pulled":
            return Pulled(node, _pulling_seconds(message))
        if event.get("reason") == "Failed":
            return Fell(node, _refusal(message))
        return None


def why_not_running(pod: Json) -> tuple[str, Missing | None]:
    """Return a pod's node and why it has not run there, None where it has.

    A pod of a DaemonSet is meant for one node from the beginning, before it is scheduled.
    """
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    phase = status.get("phase")
    node = spec.get("nodeName")
    if not node:
        return _meant_for(spec), Missing(Gap.NOT_SCHEDULED, _condition(status, "PodScheduled"))
    if phase in ("Running", "Succeeded"):
        return node, None
    if phase == "Failed":
        return node, Missing(Gap.NOT_ADMITTED, _words(status))
    waiting = _waiting(status)
    reason = waiting.get("reason", "")
    if reason in _REFUSALS:
        return node, _refusal(_words(waiting))
    gap = Gap.NO_ANSWER if reason in _PATIENCE else Gap.NOT_STARTED
    return node, Missing(gap, "" if gap is Gap.NO_ANSWER else _words(waiting))


def seconds_of(duration: str) -> float:
    """Return a duration in Go's text format in seconds."""
    return sum(
        float(number) * _UNIT_SECONDS.get(unit, 1e-9)
        for number, unit in _DURATION.findall(duration)
    )


def _missing_at(node: Json, status: Json, platform: str) -> Missing | None:
    spec, labels = node.get("spec") or {}, node["metadata"].get("labels") or {}
    info = status.get("nodeInfo") or {}
    own = f"{info.get('operatingSystem', '')}/{info.get('architecture', '')}"
    virtual = [f"{key}={value}" for key, value in _VIRTUAL.items() if labels.get(key) == value]
    ready = _ready(status)
    if spec.get("unschedulable"):
        return Missing(Gap.CORDONED)
    if virtual:
        return Missing(Gap.VIRTUAL_KUBELET, virtual[0])
    if ready.get("status") != "True":
        return Missing(Gap.NOT_READY, _words(ready))
    if own != platform:
        return Missing(Gap.OTHER_PLATFORM, own)
    return None


def _ready(status: Json) -> Json:
    conditions = status.get("conditions") or ()
    found: Json = next((one for one in conditions if one.get("type") == "Ready"), {})
    return found


def _condition(status: Json, wanted: str) -> str:
    conditions = status.get("conditions") or ()
    return next((_words(one) for one in conditions if one.get("type") == wanted), "")


def _hindrance(event: Json, node: str) -> Hindered | None:
    if event.get("type") != "Warning":
        return None
    return Hindered(node, f"{event.get('reason', '')}: {event.get('message', '')}")


def _pulling_seconds(message: str) -> float | None:
    """Return how long the kubelet pulled, without its queue; None where it found the image."""
    found = _PULLED.search(message)
    return seconds_of(found[2]) if found else None


def _refusal(message: str) -> Missing:
    diagnosis = diagnose(message)
    return Missing(Gap.PULL_REFUSED, diagnosis.evidence, diagnosis)


def _words(told: Json) -> str:
    return ": ".join(str(told[key]) for key in ("reason", "message") if told.get(key))


def _waiting(status: Json) -> Json:
    containers = status.get("containerStatuses") or ()
    found: Json = next(
        ((one.get("state") or {})["waiting"] for one in containers if _waits(one)), {}
    )
    return found


def _waits(container: Json) -> bool:
    return "waiting" in (container.get("state") or {})


def _meant_for(spec: Json) -> str:
    """Return the node that the DaemonSet's controller has made the pod for."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""
