"""What the kubelet tells of a pull: in the pod's status, and in events; pure.

Followed in Kubernetes v1.36: `pkg/kubelet/images/image_manager.go`, `images/types.go`,
`kubelet_pods.go` and `kuberuntime/kuberuntime_container.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.cluster.protocols import PodEvent
from harness.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.diagnosis import Diagnosis
    from harness.kubernetes_api import Json

PULLED_EVENT: Final = "Pulled"
# The events by which a kubelet says that it cannot give a container its image.
REFUSAL_EVENTS: Final = frozenset(("Failed", "ErrImageNeverPull", "InspectFailed"))
LACKED_SECRET_EVENT: Final = "FailedToRetrieveImagePullSecret"  # noqa: S105 - a reason

_NOT_BEGUN: Final = frozenset(("", "ContainerCreating", "PodInitializing"))
# The container waits for something else: its image was pulled before.
_AFTER_THE_PULL: Final = frozenset(
    (
        *("CreateContainerConfigError", "CreateContainerError", "PreCreateHookError"),
        *("PreStartHookError", "PostStartHookError", "RunContainerError", "CrashLoopBackOff"),
    )
)
# The kubelet holds itself back (registryPullQPS) and tries again after some seconds.
_HELD_BACK: Final = "pull QPS exceeded"
# What follows each pull that did not go well, held back or refused, and tells no cause.
_ECHOES: Final = frozenset(("Error: ErrImagePull", "Error: ImagePullBackOff"))

_PULLED: Final = re.compile(
    r'Successfully pulled image ".*" in (?P<pulling>\S*?s)'
    r"( \((?P<whole>\S+) including waiting\))?(?=[. ]|$)"
)
_PRESENT: Final = "already present on machine"
_FAILED: Final = re.compile(r'Failed to pull image ".*?": (?P<cause>.+)', re.DOTALL)
_BACK_OFF: Final = re.compile(r'Back-off pulling image ".*?"(: \w+: (?P<cause>.+))?', re.DOTALL)
_GRPC: Final = re.compile(r"rpc error: code = (\w+) desc = ")
_UNIT_SECONDS: Final = {
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "\u00b5s": 1e-6,  # as Go writes it
    "us": 1e-6,
    "ns": 1e-9,
}
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|\u00b5s|us|ns)")


class Phase(StrEnum):
    """How far a pod's image is."""

    WAITING = "waiting"
    PULLED = "pulled"
    REFUSED = "refused"


@dataclass(frozen=True)
class PodState:
    """What a pod's status says of its only container's image.

    `image_id` is empty until the container was created; `reason` and `message` are those by
    which it waits, or by which the node did not take the pod.
    """

    phase: Phase
    image_id: str = ""
    reason: str = ""
    message: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.reason, self.message))) or "no status yet"


@dataclass(frozen=True)
class ImageTimes:
    """What the kubelet tells of its own time (seconds), None where it told nothing."""

    already_present: bool = False
    pulling_seconds: float | None = None
    queueing_seconds: float | None = None


def pod_state(pod: Json) -> PodState:
    """Read a pod's status.

    Each reason to wait that is neither a beginning nor comes after the pull counts as a refusal:
    for a pull secret that cannot be read, the kubelet puts Go's error in place of a reason.
    """
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or ()
    if not containers:
        rejected = status.get("phase") == "Failed"
        told = str(status.get("reason", "")), str(status.get("message", ""))
        return PodState(Phase.REFUSED if rejected else Phase.WAITING, "", *told)
    container = containers[0]
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    image_id = str(container.get("imageID") or "")
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if image_id or "running" in state or "terminated" in state or reason in _AFTER_THE_PULL:
        return PodState(Phase.PULLED, image_id, reason, message)
    if reason in _NOT_BEGUN or _HELD_BACK in message:
        return PodState(Phase.WAITING, "", reason, message)
    return PodState(Phase.REFUSED, "", reason, message)


def pod_events(events: Iterable[Json]) -> tuple[PodEvent, ...]:
    """Read a pod's events in the order in which they happened, which their names keep.

    The end of a name is a time in nanoseconds; the times inside are cut to whole seconds.
    """
    in_order = sorted(events, key=lambda event: str(event["metadata"]["name"]))
    return tuple(
        PodEvent(
            type=str(event.get("type", "")),
            reason=str(event.get("reason", "")),
            message=str(event.get("message", "")),
        )
        for event in in_order
    )


def state_told(events: Sequence[PodEvent]) -> PodState:
    """Tell how far a pod's image is by its events alone; they come before the status does.

    A kubelet looks at its containers once a second (`genericPlegRelistPeriod`, kubelet.go)
    and writes a status only then.
    """
    for event in events:
        if event.reason == PULLED_EVENT:
            return PodState(Phase.PULLED)
        if _refuses(event):
            return PodState(Phase.REFUSED, message=_cause(event))
    return PodState(Phase.WAITING)


def lacks_secret(events: Iterable[PodEvent]) -> bool:
    """Tell whether the kubelet has pulled without a pull secret that it did not get."""
    return any(event.reason == LACKED_SECRET_EVENT for event in events)


def image_times(events: Sequence[PodEvent]) -> ImageTimes:
    """Read how long the kubelet pulled and how long that pull waited for its turn."""
    told = [event.message for event in events if event.reason == PULLED_EVENT]
    if any(_PRESENT in message for message in told):
        return ImageTimes(already_present=True)
    for message in told:
        if found := _PULLED.match(message):
            pulling = duration_seconds(found["pulling"])
            whole = duration_seconds(found["whole"] or "")
            queueing = None if None in (pulling, whole) else max(0.0, (whole or 0) - (pulling or 0))
            return ImageTimes(pulling_seconds=pulling, queueing_seconds=queueing)
    return ImageTimes()


def duration_seconds(text: str) -> float | None:
    """Read a duration as Go writes it, such as `1m2.5s` or `850ms`; None for another text."""
    parts = list(_DURATION_PART.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        return None
    return sum(float(part[1]) * _UNIT_SECONDS[part[2]] for part in parts)


def diagnose_refusal(state: PodState, events: Sequence[PodEvent]) -> Diagnosis:
    """Name why the kubelet refused, by the first of its messages that tells the cause.

    A container that waits for its next try says no more than that in older kubelets; then the
    event of the pull that failed tells.
    """
    back_off = _BACK_OFF.fullmatch(state.message)
    if back_off and not back_off["cause"] and (told := diagnose_events(events)):
        return told
    return _diagnose((back_off and back_off["cause"]) or state.message or state.reason)


def diagnose_events(events: Sequence[PodEvent]) -> Diagnosis | None:
    """Name why the kubelet refused, by its events alone; None where they do not tell."""
    warnings = [event for event in events if _refuses(event)]
    for event in warnings:
        if found := _FAILED.fullmatch(event.message):
            return _diagnose(found["cause"])
    return _diagnose(_cause(warnings[0])) if warnings else None


def _refuses(event: PodEvent) -> bool:
    """Tell whether a kubelet says why it cannot give an image, not only that it waits."""
    if event.message in _ECHOES or _HELD_BACK in event.message:
        return False
    return event.reason in REFUSAL_EVENTS


def _cause(event: PodEvent) -> str:
    """Return what a refusal's event tells of its cause, without the words that introduce it.

    Of a secret that it cannot read the kubelet says `Error: ` and no more than Go does.
    """
    found = _FAILED.fullmatch(event.message)
    return found["cause"] if found else event.message.removeprefix("Error: ")


def _diagnose(message: str) -> Diagnosis:
    """Name a cause in the kubelet's words, which quote the runtime's code in Go's spelling."""
    found = _GRPC.search(message)
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", found[1]).upper() if found else ""
    return diagnose(message, code)
