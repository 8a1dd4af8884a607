"""What is known of the nodes of a fleet and of how each answered; pure data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from harness.diagnosis import Diagnosis


class Gap(StrEnum):
    """Why a node was not covered; stable names that stand in results."""

    NOT_READY = "not-ready"
    CORDONED = "cordoned"
    GONE = "gone"
    OTHER_PLATFORM = "other-platform"
    VIRTUAL_KUBELET = "virtual-kubelet"
    NO_POD = "no-pod"
    NOT_SCHEDULED = "not-scheduled"
    NOT_ADMITTED = "not-admitted"
    PULL_REFUSED = "pull-refused"
    NOT_STARTED = "not-started"
    NO_ANSWER = "no-answer"


# Pods cannot be meant to run there, so nothing is missing where none does.
EXCUSED: Final = frozenset({Gap.CORDONED, Gap.GONE})


@dataclass(frozen=True)
class Missing:
    """Why one node gave nothing: `evidence` in the cluster's own words, empty where it has none.

    `diagnosis` names what broke when the node refused to pull.
    """

    gap: Gap
    evidence: str = ""
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class FleetNode:
    """A node of the cluster; `missing` says why no pod is to be expected on it, None else."""

    name: str
    missing: Missing | None = None


@dataclass(frozen=True)
class Pulled:
    """A kubelet told that it has pulled; `seconds` is its own time, None where it gave none."""

    node: str
    seconds: float | None


@dataclass(frozen=True)
class Fell:
    """A kubelet told that it cannot pull."""

    node: str
    missing: Missing


@dataclass(frozen=True)
class Hindered:
    """Something hinders a pod that may run yet; `node` is empty for pods that nobody created.

    `lacked_secret` is for a kubelet that was too slow to get the pull secret: it has then asked
    the registry without, is refused, and tries again ten seconds later.
    """

    node: str
    message: str
    lacked_secret: bool = False


Sign = Pulled | Fell | Hindered


@dataclass(frozen=True)
class Answer:
    """What a node made of one sample.

    `seconds` is the kubelet's own pulling time. A node is covered when nothing is missing; it
    may be so without a figure, because kubelets send only so many events.
    """

    node: str
    seconds: float | None = None
    missing: Missing | None = None

    @property
    def covered(self) -> bool:
        """Whether the node pulled."""
        return self.missing is None
