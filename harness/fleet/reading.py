"""Reads nodes, pods and events of the Kubernetes API, as plain JSON, for what a fleet needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.cluster.pod_events import (
    LACKED_SECRET_EVENT,
    Phase,
    diagnose_events,
    diagnose_refusal,
    image_times,
    pod_events,
    pod_state,
)
from harness.fleet.model import Fell, FleetNode, Gap, Hindered, Missing, Pulled

if TYPE_CHECKING:
    from harness.fleet.model import Sign
    from harness.kubernetes_api import Json

# Labels of nodes behind which no machine runs a kubelet: of virtual-kubelet itself, and of EKS,
# whose Fargate nodes hold one pod each.
_VIRTUAL: Final = {"type": "virtual-kubelet", "eks.amazonaws.com/compute-type": "fargate"}

_NAMES_IMAGE: Final = re.compile(r'image "([^"]+)"')


def read_node(node: Json, platform: str) -> FleetNode:
    """Read a node, and whether a pod of a platform such as linux/amd64 is to be expected there."""
    return FleetNode(node["metadata"]["name"], _missing_at(node, platform))


@dataclass(frozen=True)
class Reader:
    """Reads events of one sample: of the image with this reference, in pods of this DaemonSet."""

    reference: str
    daemon_set: str

    def event(self, event: Json) -> Sign | None:
        """Read an event; None where it tells nothing of this sample.

        The pods' own events name the node as their source.
        """
        about = event["involvedObject"]
        kind, name = about.get("kind"), about.get("name", "")
        if kind == "DaemonSet" and name == self.daemon_set:
            return _hindrance(event, "")
        if kind != "Pod" or not name.startswith(f"{self.daemon_set}-"):
            return None
        node = (event.get("source") or {}).get("host") or event.get("reportingInstance", "")
        named = _NAMES_IMAGE.search(event.get("message", ""))
        if named is None or named[1] != self.reference:
            return _hindrance(event, node)
        told = pod_events([event])
        if event.get("reason") == "Pulled":
            return Pulled(node, image_times(told).pulling_seconds)
        diagnosis = diagnose_events(told)
        if diagnosis is None:
            return None
        return Fell(node, Missing(Gap.PULL_REFUSED, diagnosis.evidence, diagnosis))


def why_not_running(pod: Json) -> tuple[str, Missing | None]:
    """Return a pod's node and why it has not run there, None where it has.

    A pod of a DaemonSet is meant for one node from the beginning, before it is scheduled.
    """
    spec, status = pod["spec"], pod["status"]
    node = spec.get("nodeName")
    if not node:
        return _meant_for(spec), Missing(Gap.NOT_SCHEDULED, _condition(status, "PodScheduled"))
    if status.get("phase") == "Failed":
        return node, Missing(Gap.NOT_ADMITTED, _words(status))
    if status.get("phase") in ("Running", "Succeeded"):
        return node, None
    state = pod_state(pod)
    if state.phase is Phase.REFUSED:
        diagnosis = diagnose_refusal(state, ())
        return node, Missing(Gap.PULL_REFUSED, diagnosis.evidence, diagnosis)
    if state.phase is Phase.PULLED:
        return node, Missing(Gap.NOT_STARTED, str(state))
    return node, Missing(Gap.NO_ANSWER)


def _missing_at(node: Json, platform: str) -> Missing | None:
    labels, status = node["metadata"].get("labels") or {}, node["status"]
    info = status["nodeInfo"]
    own = f"{info['operatingSystem']}/{info['architecture']}"
    virtual = [f"{key}={value}" for key, value in _VIRTUAL.items() if labels.get(key) == value]
    if node["spec"].get("unschedulable"):
        return Missing(Gap.CORDONED)
    if virtual:
        return Missing(Gap.VIRTUAL_KUBELET, virtual[0])
    ready = [one for one in status.get("conditions") or () if one["type"] == "Ready"]
    if not ready or ready[0]["status"] != "True":
        return Missing(Gap.NOT_READY, _words(ready[0]) if ready else "its kubelet never reported")
    if own != platform:
        return Missing(Gap.OTHER_PLATFORM, own)
    return None


def _condition(status: Json, wanted: str) -> str:
    conditions = status.get("conditions") or ()
    return next((_words(one) for one in conditions if one["type"] == wanted), "")


def _hindrance(event: Json, node: str) -> Hindered | None:
    if event.get("type") != "Warning":
        return None
    reason = event.get("reason", "")
    told = f"{reason}: {event.get('message', '')}"
    return Hindered(node, told, lacked_secret=reason == LACKED_SECRET_EVENT)


def _words(told: Json) -> str:
    return ": ".join(str(told[key]) for key in ("reason", "message") if told.get(key))


def _meant_for(spec: Json) -> str:
    """Return the node that the DaemonSet's controller has made the pod for.

    Its own term stands among what the DaemonSet's author may have asked for; ours asks nothing.
    """
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    fields = [
        field
        for term in required.get("nodeSelectorTerms") or ()
        for field in term.get("matchFields") or ()
    ]
    return str(fields[0]["values"][0]) if fields else ""
