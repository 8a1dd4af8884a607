"""How a kubelet is set up to pull, and how many pulls it has counted; pure.

Followed in Kubernetes v1.36: `pkg/kubelet/metrics/metrics.go` and `pkg/kubelet/images/puller.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.kubernetes_api import Json


@dataclass(frozen=True)
class PullSettings:
    """How many images a kubelet pulls at once: None for as many as are asked for."""

    at_once: int | None


@dataclass(frozen=True)
class PullCounts:
    """What a kubelet has counted since it started.

    `pulled` are successful pulls by the size of the image, in the kubelet's own words such as
    `10MB-100MB`. `seconds` is the time of all of them, waiting included. `required` is how often
    a container's image had to be pulled, whether that went well or not.
    """

    pulled: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    required: int = 0

    @property
    def total(self) -> int:
        """Successful pulls of all sizes."""
        return sum(count for _, count in self.pulled)


_COUNT: Final = "kubelet_image_pull_duration_seconds_count"
_SUM: Final = "kubelet_image_pull_duration_seconds_sum"
_REQUESTS: Final = "kubelet_image_manager_ensure_image_requests_total"

# The text format of Prometheus: name, labels, value, and a time that kubelets leave out.
_SAMPLE: Final = re.compile(r"(?P<name>\w+)(\{(?P<labels>.*)\})? (?P<value>\S+)( \d+)?")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_settings(configz: Json) -> PullSettings:
    """Read what a kubelet answers at /configz.

    Without a limit of its own a kubelet that does not serialise pulls all images at once.
    """
    settings = configz["kubeletconfig"]
    if settings.get("serializeImagePulls", True):
        return PullSettings(1)
    limit = settings.get("maxParallelImagePulls")
    return PullSettings(int(limit) if limit else None)


def read_counts(metrics: str) -> PullCounts:
    """Read what a kubelet answers at /metrics; what it does not count is 0."""
    pulled: list[tuple[str, int]] = []
    seconds, required = 0.0, 0
    for name, labels, value in _samples(metrics):
        if name == _COUNT:
            pulled.append((labels.get("image_size_in_bytes", ""), int(value)))
        elif name == _SUM:
            seconds += value
        elif name == _REQUESTS and labels.get("pull_required") == "true":
            required += int(value)
    return PullCounts(tuple(pulled), seconds, required)


def _samples(metrics: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels and value of the kubelet's samples on images; comments are none."""
    for line in metrics.splitlines():
        sample = _SAMPLE.fullmatch(line)
        if sample is not None and sample["name"].startswith("kubelet_image_"):
            labels = dict(_LABEL.findall(sample["labels"] or ""))
            yield sample["name"], labels, float(sample["value"])
