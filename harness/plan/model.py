"""A plan as frozen data; docs/existing-clusters.md explains it to those who read the JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.permissions import Level
    from harness.plan.footprint import Footprint


@dataclass(frozen=True)
class PlannedCluster:
    """The cluster: `server` is the API's URL, empty where none is known or none exists yet.

    `nodes` are those that are going to be judged, empty where nobody was asked; `left_out` says
    why others are not.
    """

    provider: str
    server: str
    nodes: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class PlannedRegistry:
    """A registry, and the beginning of the repositories to which the run pushes, if any."""

    name: str
    host: str
    provider: str
    repositories: str


@dataclass(frozen=True)
class PlannedRight:
    """A right and why it is needed; `granted` is null where no cluster was asked.

    `optional` tells what stays unverified without it, empty for a right that must be there.
    """

    verb: str
    resource: str
    group: str
    everywhere: bool
    level: Level
    why: str
    optional: str
    granted: bool | None


@dataclass(frozen=True)
class Plan:
    """What a run will do, at most. Bytes of all nodes together are those of one times nodes."""

    scenario: str
    level: Level | None
    cluster: PlannedCluster
    registries: tuple[PlannedRegistry, ...]
    namespaces: tuple[str, ...]
    objects: tuple[str, ...]
    rights: tuple[PlannedRight, ...]
    footprints: tuple[Footprint, ...]
    left_behind: tuple[str, ...]
    seconds: float

    @property
    def missing(self) -> tuple[PlannedRight, ...]:
        """Rights that must be there and are not."""
        return tuple(
            right for right in self.rights if right.granted is False and not right.optional
        )

    def to_json(self) -> str:
        """Return the plan as a JSON document."""
        return json.dumps(asdict(self), indent=2) + "\n"
