"""How much each capability pushes and pulls, at most; a test compares this with real runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.scenario.model import MIB, SIZE_CLASS_BYTES

if TYPE_CHECKING:
    from harness.scenario.model import Capability, Scenario

_WARM_PULLS: Final = 10
_ROUND_BYTES: Final = 12 * MIB
_SMALL_BYTES: Final = 72 * 1024
# What a pod takes on an idle cluster from its creation to its removal, and what a node is
# taken to fetch at least, while all of them pull at once.
_SECONDS_PER_PULL: Final = 1.5
_BYTES_PER_SECOND: Final = 20 * MIB


@dataclass(frozen=True)
class Footprint:
    """What one capability moves: images and bytes pushed, pulls and bytes fetched by each node.

    Each pull is a pod on that node where the cluster is Kubernetes.
    """

    capability: Capability
    images: int
    pushed_bytes: int
    pulls_per_node: int
    pulled_bytes_per_node: int

    def seconds(self, nodes: int) -> float:
        """Return about how long it takes where nodes pull at once and share one link."""
        fetched = self.pulled_bytes_per_node * nodes
        return self.pulls_per_node * _SECONDS_PER_PULL + fetched / _BYTES_PER_SECOND


@dataclass(frozen=True)
class _Small:
    """Images whose size no scenario sets: how many, how big on the whole, how often pulled.

    Of those that count with the samples, each is pulled once.
    """

    images: int
    bytes: int
    pulls: int
    per_sample: int = 0


_SMALL: Final[dict[Capability, _Small]] = {
    "trust": _Small(images=8, bytes=MIB, pulls=8),
    "pull_secrets": _Small(images=32, bytes=3 * MIB, pulls=32),
    "latency": _Small(images=0, bytes=0, pulls=0),
    "integrity": _Small(images=16, bytes=8 * MIB, pulls=10),
    "gc": _Small(images=20, bytes=2 * MIB, pulls=4),
    "observability": _Small(images=6, bytes=MIB, pulls=6),
    "upgrade": _Small(images=14, bytes=2 * MIB, pulls=8),
    "backup": _Small(images=40, bytes=5 * MIB, pulls=1),
    "retention": _Small(images=12, bytes=MIB, pulls=4),
    # Those that are read slowly and at full speed, and those that get many tags.
    "resources": _Small(images=5, bytes=41 * MIB, pulls=1),
    "mirror": _Small(images=11, bytes=2 * MIB, pulls=16),
    # Two architectures of one image and as many as the lag is measured on; programs sign one.
    "supply_chain": _Small(images=12, bytes=MIB, pulls=0),
    "replication": _Small(images=32, bytes=4 * MIB, pulls=2),
    # Among them four of 36 MiB, which are long enough under way to see who waits for whom.
    "kubelet": _Small(images=80, bytes=152 * MIB, pulls=100, per_sample=3),
    # Replicas are those of a lab: where everything exists already, nothing is pushed.
    "ha": _Small(images=0, bytes=0, pulls=0),
}


def footprints(scenario: Scenario) -> tuple[Footprint, ...]:
    """Return the footprint of each capability that a scenario selects."""
    return tuple(_footprint(capability, scenario) for capability in scenario.capabilities)


def _footprint(capability: Capability, scenario: Scenario) -> Footprint:
    small = _SMALL[capability]
    sized, further_pulls = _sized(capability, scenario)
    sampled = small.per_sample * scenario.latency.samples
    moved = small.bytes + sampled * _SMALL_BYTES + sum(sized)
    return Footprint(
        capability=capability,
        images=small.images + sampled + len(sized),
        pushed_bytes=moved,
        pulls_per_node=small.pulls + sampled + len(sized) + further_pulls,
        pulled_bytes_per_node=moved,
    )


def _sized(capability: Capability, scenario: Scenario) -> tuple[list[int], int]:
    """Return the bytes of each image of a stated size, and pulls of what is there already."""
    latency, resources, mirror = scenario.latency, scenario.resources, scenario.mirror
    all_sizes = [SIZE_CLASS_BYTES[size] for size in latency.size_classes]
    by_pods = [SIZE_CLASS_BYTES[size] for size in latency.by_pods] * latency.samples
    match capability:
        case "latency":  # one node at a time, all at once, one that is pulled warm; as a fleet
            return all_sizes * (2 * latency.samples + 1) + by_pods, _WARM_PULLS * len(all_sizes)
        case "resources":  # in one request and in chunks; once for each round of the load
            large = [resources.large_layer_mib * MIB] * 2
            return large + [_ROUND_BYTES] * resources.rounds, 0
        case "kubelet":  # one pod at a time
            return by_pods, 0
        case "mirror":  # each goes over the upstream's link once
            return [SIZE_CLASS_BYTES[size] for size in mirror.size_classes] * mirror.samples, 0
        case _:
            return [], 0
