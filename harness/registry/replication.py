"""A registry and its copy, as checks use them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness import checks
from harness.errors import EngineError, RegistryError, WaitTimeoutError
from harness.findings import Code, Finding
from harness.history import Operation, Outcome
from harness.registry.inventory import read_inventory
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness import oci
    from harness.registry.protocols import Registry
    from harness.scenario.model import ReplicationSpec

# A look at whole repositories costs some requests; a lag is measured about as well as this.
_LOOK_SECONDS: Final = 0.1
_WATCH_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Replication:
    """Two registries of which the destination is to be kept equal to the source."""

    spec: ReplicationSpec
    source: Registry
    destination: Registry

    def repositories(self) -> tuple[str, ...]:
        """Return all repositories of both that begin as the source's do in this run, sorted."""
        listed = {*self.source.api().catalog(), *self.destination.api().catalog()}
        beginning = self.source.spec.repository("")
        return tuple(sorted(name for name in listed if name.startswith(beginning)))

    def differences(self, *repositories: str) -> tuple[Finding, ...]:
        """Return how repositories differ once their time to become equal is over.

        Returns nothing as soon as they are equal. A copy that cannot be read is not.
        """
        seen: tuple[Finding, ...] = ()

        def equal() -> bool:
            nonlocal seen
            seen = tuple(one for each in repositories for one in self._difference(each))
            return not seen

        self._in_time(equal, every_seconds=_LOOK_SECONDS)
        return seen

    def burst(self, images: Sequence[oci.Image], repository: str) -> tuple[Operation, ...]:
        """Push images one right after the other, each under a tag of its own, and follow them.

        Returns when each came to the copy, counted from the moment when the source had taken it.
        The copy is looked at between pushes and every 10 ms after the last one. Raises
        RegistryError when the source does not take one.
        """
        api, copy = self.source.api(), self.destination.api()
        taken: dict[str, float] = {}
        arrived: dict[str, float] = {}

        def look() -> bool:
            with suppress(RegistryError):
                seen = copy.tags(repository)
                now = time.monotonic()
                arrived.update({tag: now for tag in seen if tag in taken and tag not in arrived})
            return len(arrived) == len(images)

        for number, image in enumerate(images):
            api.push(image, repository, _tag(number))
            taken[_tag(number)] = time.monotonic()
            look()
        self._in_time(look, every_seconds=_WATCH_SECONDS)
        return tuple(
            self._followed(image, f"{repository}:{tag}", since, arrived.get(tag))
            for image, (tag, since) in zip(images, taken.items(), strict=True)
        )

    def _followed(
        self, image: oci.Image, name: str, taken: float, arrived: float | None
    ) -> Operation:
        """Return what became of an image; moments are on the monotonic clock."""
        duration = (time.monotonic() if arrived is None else arrived) - taken
        started = time.time() - (time.monotonic() - taken)
        return Operation(
            kind=checks.REPLICATE,
            actor=self.destination.host,
            reference=f"{self.destination.host}/{name}",
            started=started,
            ended=started + duration,
            duration_seconds=duration,
            outcome=Outcome.FAILED if arrived is None else Outcome.OK,
            digest=image.digest,
            transferred_bytes=image.size,
            cause=Code.NOT_REPLICATED if arrived is None else "",
            evidence=f"not there after {duration:.1f} s" if arrived is None else "",
        )

    def _difference(self, repository: str) -> tuple[Finding, ...]:
        source = read_inventory(self.source, repository)
        try:
            copy = read_inventory(self.destination, repository)
        except (RegistryError, EngineError) as error:  # no address when it has ended
            return (Finding(Code.NOT_REPLICATED, self.destination.host, error.problem),)
        return checks.same_inventory(source, copy)

    def _in_time(self, probe: Callable[[], bool], *, every_seconds: float) -> bool:
        try:
            wait_until(
                probe,
                timeout_seconds=self.spec.within_seconds,
                interval_seconds=every_seconds,
                what=f"a change to reach {self.destination.host}",
            )
        except WaitTimeoutError:
            return False
        return True


def _tag(number: int) -> str:
    return f"v{number}"
