"""The metrics of a registry, as a real Prometheus sees them, against what was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness import checks, workload
from harness.lab import ability
from harness.registry.protocols import ExposesStorage, KeepsAccessLog

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.lab import Lab

REQUESTS: Final = "registry_http_requests_total"
ACTIONS: Final = "registry_storage_action_seconds_count"


def test_registry_is_scraped(lab: Lab, judge: Judge) -> None:
    """Prometheus reaches the registry's metrics, again and again."""
    monitor, registry = lab.monitoring()
    judge(checks.is_scraped(registry.host, monitor.scraped_anew()))


@pytest.mark.exclusive
def test_requests_are_counted_as_they_are_logged(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """Pushes, pulls, refusals and errors move the counters as the access log tells, and no other.

    An error of the registry's own is made by a manifest that cannot be read any more.
    """
    monitor, registry = lab.monitoring()
    log = ability(registry, KeepsAccessLog)
    unreadable, image = publish(registry), publish(registry, layers=2)
    ability(registry, ExposesStorage).overwrite_blob(unreadable.image.digest, b"{")
    mark = log.mark()
    monitor.scraped_anew()
    before = monitor.samples(REQUESTS)
    publish(registry)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    pull(f"{image.reference}-that-nobody-pushed", registry.credentials)
    registry.api().refusal(unreadable.repository, workload.TAG)
    monitor.scraped_anew()
    after = monitor.samples(REQUESTS)
    monitor.scraped_anew()
    in_peace = monitor.samples(REQUESTS)
    judge(
        checks.counted_requests(registry.host, before, after, log.requests_since(mark)),
        checks.stood_still(registry.host, after, in_peace),
    )


@pytest.mark.exclusive
def test_storage_actions_are_counted(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """A push is seen to write to the storage, and a pull only to read."""
    monitor, registry = lab.monitoring()
    monitor.scraped_anew()
    at_first = monitor.samples(ACTIONS)
    image = publish(registry)
    monitor.scraped_anew()
    pushed = monitor.samples(ACTIONS)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    monitor.scraped_anew()
    pulled = monitor.samples(ACTIONS)
    judge(
        checks.wrote(registry.host, at_first, pushed),
        checks.only_read(registry.host, pushed, pulled),
    )
