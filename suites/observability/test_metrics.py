"""The metrics of a registry, as a real Prometheus sees them, against what was done to it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from harness import checks, workload
from harness.lab import ability
from harness.registry.protocols import ExposesStorage, KeepsAccessLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.lab import Lab
    from harness.monitoring import Sample
    from harness.registry.protocols import Registry
    from harness.workload import Published

REQUESTS: Final = "registry_http_requests_total"
ACTIONS: Final = "registry_storage_action_seconds_count"


def figures(lab: Lab, metric: str, judge: Judge) -> tuple[Sample, ...]:
    """Return a metric's figures with all that has ended in them."""
    monitor, registry = lab.monitoring()
    scrape = monitor.scraped_anew()
    judge(checks.is_scraped(registry.host, scrape))
    return monitor.samples(metric, at=scrape.scraped)


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
    _, registry = lab.monitoring()
    log = ability(registry, KeepsAccessLog)
    unreadable, image = publish(registry), publish(registry, layers=2)
    mark = log.mark()
    before = figures(lab, REQUESTS, judge)
    publish(registry)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    pull(f"{image.reference}-that-nobody-pushed", registry.credentials)
    with _torn(registry, unreadable):
        registry.api().refusal(unreadable.repository, workload.TAG)
    after = figures(lab, REQUESTS, judge)
    in_peace = figures(lab, REQUESTS, judge)
    judge(
        checks.counted_requests(registry.host, before, after, log.requests_since(mark)),
        checks.stood_still(registry.host, after, in_peace),
    )


@contextmanager
def _torn(registry: Registry, image: Published) -> Iterator[None]:
    """Have a manifest unreadable for a while: no collection of garbage gets past one."""
    storage, manifest = ability(registry, ExposesStorage), image.image.manifest
    storage.overwrite_blob(manifest.digest, b"{")
    try:
        yield
    finally:
        storage.overwrite_blob(manifest.digest, manifest.content)


@pytest.mark.exclusive
def test_storage_actions_are_counted(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """A push is seen to write to the storage, and a pull only to read."""
    _, registry = lab.monitoring()
    at_first = figures(lab, ACTIONS, judge)
    image = publish(registry)
    pushed = figures(lab, ACTIONS, judge)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    pulled = figures(lab, ACTIONS, judge)
    judge(
        checks.wrote(registry.host, at_first, pushed),
        checks.only_read(registry.host, pushed, pulled),
    )
