"""What a pull-through cache is worth while its upstream is not there."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.cluster.protocols import InContainer
from harness.diagnosis import FailureCode
from harness.faults.containers import Stopped
from harness.faults.stand_ins import Replaced
from harness.lab import ability
from harness.registry.protocols import HasStandIn

if TYPE_CHECKING:
    from fixtures.caching import CachedUpstream
    from fixtures.recorder import Judge
    from fixtures.workload import Publish

pytestmark = pytest.mark.exclusive

GONE = (FailureCode.NAME_RESOLUTION, FailureCode.CONNECTION, FailureCode.TIMEOUT)


@pytest.mark.failure_modes(30)
def test_cached_image_is_pulled_while_the_upstream_is_away(
    cached: CachedUpstream, publish: Publish, judge: Judge
) -> None:
    """Nodes that never had an image pull it from the cache while its upstream is stopped."""
    image = publish(cached.upstream, layers=2)
    cached.warm(image, cached.nodes[0])
    with cached.without_upstream(Stopped(ability(cached.upstream, InContainer).container)):
        pulls = cached.pull(image, cached.others)
    judge(checks.all_succeeded(pulls), checks.is_image(pulls, image.image))


def test_missing_upstream_is_named_and_forgotten(
    cached: CachedUpstream, publish: Publish, judge: Judge
) -> None:
    """An image that was never cached is refused for the upstream's absence, and pulled after it."""
    image = publish(cached.upstream)
    with cached.without_upstream(Stopped(ability(cached.upstream, InContainer).container)):
        refused = cached.pull(image, cached.nodes)
    judge(checks.all_refused(refused, *GONE))
    judge(checks.all_succeeded(cached.pull(image, cached.nodes)))


@pytest.mark.failure_modes(30)
def test_rate_limited_upstream_costs_only_what_is_not_cached(
    cached: CachedUpstream, publish: Publish, judge: Judge
) -> None:
    """While the upstream answers only 429, nodes pull what is cached, and are told it else."""
    _refuse(cached, publish, judge, HTTPStatus.TOO_MANY_REQUESTS, FailureCode.RATE_LIMITED)


@pytest.mark.failure_modes(30)
def test_failing_upstream_costs_only_what_is_not_cached(
    cached: CachedUpstream, publish: Publish, judge: Judge
) -> None:
    """While the upstream answers only 503, nodes pull what is cached, and are told it else."""
    _refuse(cached, publish, judge, HTTPStatus.SERVICE_UNAVAILABLE, FailureCode.SERVER_ERROR)


def _refuse(
    cached: CachedUpstream, publish: Publish, judge: Judge, status: HTTPStatus, told: FailureCode
) -> None:
    """Pull a cached image and one that is not, while the upstream answers with an error."""
    container = ability(cached.upstream, InContainer).container
    stand_in = ability(cached.upstream, HasStandIn).stand_in(status)
    image, other = publish(cached.upstream), publish(cached.upstream)
    cached.warm(image, cached.nodes[0])
    with cached.without_upstream(Replaced(container, stand_in, f"answering {status}")):
        refused = cached.pull(other, cached.nodes)
        pulls = cached.pull(image, cached.others)
    judge(checks.all_succeeded(pulls), checks.is_image(pulls, image.image))
    judge(checks.all_refused(refused, told))
    judge(checks.all_succeeded(cached.pull(other, cached.nodes)))
