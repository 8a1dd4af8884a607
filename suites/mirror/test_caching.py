"""What a pull-through cache does while its upstream is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import checks, oci
from harness.distribution_api import UnexpectedStatusError
from harness.findings import NotVerified
from harness.lab import ability
from harness.registry.protocols import KeepsAccessLog

if TYPE_CHECKING:
    from fixtures.caching import CachedUpstream
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull, Push
    from harness.registry.protocols import Registry


def test_nodes_are_served_by_the_cache(
    cached: CachedUpstream, publish: Publish, judge: Judge
) -> None:
    """Every node gets an image of the upstream from the cache, and asks the upstream nothing."""
    logs = [ability(registry, KeepsAccessLog) for registry in (cached.cache, cached.upstream)]
    image = publish(cached.upstream)
    marks = [log.mark() for log in logs]
    cached.pull_well(image, cached.nodes)
    at_cache, at_upstream = (
        log.requests_since(mark) for log, mark in zip(logs, marks, strict=True)
    )
    host, repository = cached.upstream.host, image.repository
    judge(checks.served_by(at_cache, repository, cached.nodes))
    judge(checks.names_origin(at_cache, repository, host, cached.nodes))
    judge(checks.not_asked(host, at_upstream, repository, cached.nodes))


def test_each_blob_leaves_the_upstream_once(
    cached: CachedUpstream, publish: Publish, judge: Judge
) -> None:
    """However many nodes pull an image, each of its blobs leaves the upstream a single time."""
    log = ability(cached.upstream, KeepsAccessLog)
    image = publish(cached.upstream, layers=3)
    mark = log.mark()
    cached.warm(image, cached.nodes[0])
    cached.pull_well(image, cached.others)
    blobs = [image.image.config.digest, *(layer.digest for layer in image.image.layers)]
    judge(checks.fetched_once(cached.cache.host, log.requests_since(mark), blobs, cached.nodes))


def test_moved_tag_is_followed(
    cached: CachedUpstream, publish: Publish, push: Push, judge: Judge
) -> None:
    """A tag that was moved at the upstream gives the new image, though the cache holds the old."""
    image = publish(cached.upstream)
    cached.warm(image, cached.nodes[0])
    moved = push(oci.image(), image.repository, cached.upstream)
    judge(checks.is_image(cached.pull_well(moved, cached.nodes), moved.image))


def test_cache_logs_in_to_its_upstream(
    cached: CachedUpstream, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """The cache fetches a private image with credentials of its own; nodes bring none."""
    if not cached.upstream.spec.has_accounts:
        raise NotVerified(f"the upstream {cached.upstream.host} asks for no credentials")
    log = ability(cached.upstream, KeepsAccessLog)
    image = publish(cached.upstream)
    mark = log.mark()
    pulls = pull(image.reference)
    requests = log.requests_since(mark)
    judge(checks.logged_in(cached.cache.host, requests, image.repository, cached.nodes))
    judge(checks.all_succeeded(pulls))


def test_cache_takes_no_pushes(cached: CachedUpstream, judge: Judge) -> None:
    """A push to the cache is refused as something that it never does."""
    judge(checks.takes_no_pushes(cached.cache.host, _refusal_of_push(cached.cache)))


def _refusal_of_push(registry: Registry) -> int | None:
    """Return the status with which a registry refuses a new upload, None when it takes it."""
    try:
        registry.api().start_upload("mirror/pushed")
    except UnexpectedStatusError as error:
        return error.status
    return None
