"""What can be asked of a monitoring system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.command import Completed


@dataclass(frozen=True)
class Target:
    """A registry as it was last scraped.

    `scraped` is when that began, in seconds since the epoch, 0 for never; `error` is empty where
    it went well.
    """

    registry: str
    error: str
    scraped: float


@dataclass(frozen=True)
class Sample:
    """A figure with the labels that tell it from others of its name."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Alert:
    """An alert whose condition holds: `pending` until that has lasted, then `firing`."""

    name: str
    registry: str
    state: str


@runtime_checkable
class Monitors(Protocol):
    """Ability of a lab: a monitoring system scrapes a registry and alerts.

    All methods raise HarnessError where it does not answer.
    """

    @property
    def registry(self) -> str:
        """The name of the registry that is scraped."""
        ...

    def target(self) -> Target:
        """Return how the registry was last scraped."""
        ...

    def scraped_anew(self) -> Target:
        """Wait for two scrapes that begin from now on and go well: all that has ended is counted.

        One alone could read a counter before what has just been answered moves it. Where none
        goes well for seconds, how the last one went is returned.
        """
        ...

    def samples(self, metric: str, *, at: float) -> tuple[Sample, ...]:
        """Return all figures of a metric of the registry, as a scrape that began then saw them.

        None where the registry has no such metric.
        """
        ...

    def alerts(self) -> tuple[Alert, ...]:
        """Return the alerts whose condition holds now."""
        ...

    def promtool(self, arguments: Sequence[str]) -> Completed:
        """Run Prometheus' own tool where its configuration and the shipped rules lie."""
        ...
