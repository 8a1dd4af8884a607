"""What a rollout is, and why it hangs: data, and one stable code for each cause."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from harness.diagnosis import FailureCode, diagnose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cluster.protocols import PodEvent


class ControllerKind(StrEnum):
    """What keeps the pods."""

    DEPLOYMENT = "Deployment"
    DAEMON_SET = "DaemonSet"


class HangCode(StrEnum):
    """What keeps a pod from being ready; stable names.

    Pulls have codes of their own: harness.diagnosis.FailureCode.
    """

    IMAGE_PULL = "image-pull"
    VOLUME_MULTI_ATTACH = "volume-multi-attach"
    VOLUME_ATTACH = "volume-attach"
    VOLUME_MOUNT = "volume-mount"
    VOLUME_UNBOUND = "volume-unbound"
    UNSCHEDULABLE = "unschedulable"
    POD_REFUSED = "pod-refused"
    SANDBOX = "sandbox"
    CONTAINER = "container"
    NOT_READY = "not-ready"


@dataclass(frozen=True)
class Hang:
    """Why a pod is not ready: a code, the cluster's own words, and what to change.

    `pull_failure` names the broken link of the chain where the image could not be pulled.
    """

    code: HangCode
    evidence: str
    remedy: str
    pull_failure: FailureCode | None = None


@dataclass(frozen=True)
class Workload:
    """A Deployment or a DaemonSet of ours.

    Its pods run one container, called `main`, and end within a second. Those of a DaemonSet
    tolerate every taint, so that there is one on each node. `pull_secrets` are names of
    secrets in the namespace; `claim` the name of a PersistentVolumeClaim there, which is mounted
    at /data.
    """

    kind: ControllerKind
    namespace: str
    name: str
    image: str
    pull_secrets: tuple[str, ...] = ()
    replicas: int = 1
    claim: str = ""
    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"


@dataclass(frozen=True)
class RolledPod:
    """One pod of a workload.

    `image` is what its specification names, `image_id` what runs: a repository with the
    manifest's digest, empty while nothing does. `node` is empty while none is chosen.
    `waiting_reason` is the container's, such as ErrImagePull. `hang` is None when it is ready.
    """

    name: str
    node: str
    image: str
    image_id: str
    ready: bool
    ending: bool
    waiting_reason: str = ""
    hang: Hang | None = None


@dataclass(frozen=True)
class Rollout:
    """How one change of a workload went.

    `seconds` passed between the order and the report of its controller that all is done, or
    the end of our patience. `state` is what the controller reported last, in words. `pods` are
    all that are there, those of earlier images included.
    """

    workload: str
    image: str
    complete: bool
    seconds: float
    state: str
    pods: tuple[RolledPod, ...]
    hangs: tuple[Hang, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim as the cluster keeps it; `phase` is Pending, Bound or Lost."""

    name: str
    access_modes: tuple[str, ...]
    storage_class: str
    phase: str


_REMEDIES: Mapping[HangCode, str] = {
    HangCode.VOLUME_MULTI_ATTACH: (
        "a ReadWriteOnce volume is attached to one node at a time: roll out with the strategy "
        "Recreate, keep the pods on one node, or claim ReadWriteMany where the storage offers it"
    ),
    HangCode.VOLUME_ATTACH: "look at the volume's VolumeAttachment and at the storage driver's log",
    HangCode.VOLUME_MOUNT: "look at the kubelet's log on the node and at the storage driver's",
    HangCode.VOLUME_UNBOUND: (
        "look at the claim's events: its storage class is missing or provides no volume"
    ),
    HangCode.UNSCHEDULABLE: "free or add resources, or correct selectors, affinities and taints",
    HangCode.POD_REFUSED: "look at quotas, limits and admission policies of the namespace",
    HangCode.SANDBOX: "look at the runtime's and the network plugin's log on the node",
    HangCode.CONTAINER: "look at what the container wrote and at its exit code",
    HangCode.NOT_READY: "look at the pod's events and at the kubelet's log on its node",
}

_NOT_PULLED = (
    r"ErrImagePull|ImagePullBackOff|ErrImageNeverPull|ImageInspectError|InvalidImageName"
    r"|RegistryUnavailable|SignatureValidationFailed"
)
_NOT_STARTED = r"CrashLoopBackOff|RunContainerError|CreateContainer\w*Error|BackOff|Failed: Error"

# What says most stands first: after an attachment fails, mounts fail as well, and a pod that has
# a node may still have an event of the time when it had none.
_RULES: tuple[tuple[HangCode, str], ...] = (
    (HangCode.VOLUME_MULTI_ATTACH, r"^FailedAttachVolume: Multi-Attach error"),
    (HangCode.VOLUME_ATTACH, r"^FailedAttachVolume: "),
    (HangCode.VOLUME_MOUNT, r"^FailedMount: "),
    (HangCode.IMAGE_PULL, rf"^({_NOT_PULLED}|Failed: Failed to pull image)"),
    (HangCode.CONTAINER, rf"^({_NOT_STARTED})"),
    (HangCode.SANDBOX, r"^FailedCreatePodSandBox: "),
    (HangCode.VOLUME_UNBOUND, r"(?i)persistentvolumeclaim"),
    (HangCode.UNSCHEDULABLE, r"^(FailedScheduling|Unschedulable): "),
    (HangCode.POD_REFUSED, r"^(FailedCreate|ReplicaFailure): "),
)
_EVIDENCE_CHARACTERS = 2000


def hang_of(reasons: Sequence[str], events: Iterable[PodEvent]) -> Hang:
    """Name what keeps a pod from being ready.

    `reasons` are what its status says now, each as `reason: message`; they decide where they
    say enough, because events tell of what is over as well.
    """
    warnings = [f"{event.reason}: {event.message}" for event in events if event.type == "Warning"]
    for lines in (reasons, warnings):
        for code, pattern in _RULES:
            if matching := [line for line in lines if re.search(pattern, line)]:
                return _hang(code, matching)
    return _hang(HangCode.NOT_READY, [*reasons, *warnings] or ["nothing was said of it"])


def _hang(code: HangCode, lines: Iterable[str]) -> Hang:
    evidence = "; ".join(dict.fromkeys(lines))[:_EVIDENCE_CHARACTERS]
    if code is not HangCode.IMAGE_PULL:
        return Hang(code, evidence, _REMEDIES[code])
    found = diagnose(evidence)
    return Hang(code, f"{found.code}: {found.evidence}", found.remedy, found.code)
