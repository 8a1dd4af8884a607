"""A pull-through cache in front of an upstream behind a slow link, on real parts."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness import oci
from harness.distribution_api import UnexpectedStatusError
from harness.engine import open_engine
from harness.engine.sending import limit_sending
from harness.errors import EngineError, RegistryError
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide
from harness.registry.distribution_start import distribution_registry
from harness.registry.protocols import CountsBytes
from harness.scenario.model import MIB, LinkSpec, RegistrySpec, TLSSpec
from harness.trust import Authority
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="limiting a link takes root")

RATE_MBIT = 40
LAYER_BYTES = 2 * MIB
# What the limit lets through within the time of one layer, 0.42 s.
LEAST_SECONDS = LAYER_BYTES * 8 / (RATE_MBIT * 1_000_000) * 0.9
UPSTREAM = RegistrySpec(name="upstream", tls=TLSSpec(), link=LinkSpec(rate_mbit=RATE_MBIT))
CACHE = RegistrySpec(name="cache", tls=TLSSpec(), proxy_of="upstream")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as engine:
        yield engine


@pytest.fixture(scope="module")
def pair(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DistributionRegistry, DistributionRegistry]]:
    folder = tmp_path_factory.mktemp("registries")
    home, name = Home.locate(os.environ), f"cache-{uuid4().hex[:8]}"
    image = provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print)
    authorities = {"private-ca": Authority.create("private-ca")}
    with ExitStack() as stack:
        network = engine.create_network(name, {})
        stack.callback(network.remove)

        def start(
            spec: RegistrySpec, upstream: DistributionRegistry | None = None
        ) -> DistributionRegistry:
            return stack.enter_context(
                distribution_registry(
                    spec,
                    engine=engine,
                    image_id=image.id,
                    network=network.name,
                    labels={},
                    name=f"{name}-{spec.name}",
                    folder=folder / spec.name,
                    authorities=authorities,
                    upstream=upstream,
                )
            )

        upstream = start(UPSTREAM)
        yield upstream, start(CACHE, upstream)


def fetch_seconds(registry: DistributionRegistry, repository: str, digest: str) -> float:
    begin = time.monotonic()
    assert registry.api().blob(repository, digest).digest == digest
    return time.monotonic() - begin


def test_cache_fetches_over_the_link_what_it_lacks_and_serves_it_without(
    pair: tuple[DistributionRegistry, DistributionRegistry],
) -> None:
    upstream, cache = pair
    image = oci.image(layer_bytes=LAYER_BYTES)
    upstream.api().push(image, "cached", "v1")
    sent, mark = upstream.sent_bytes(), upstream.mark()
    layer = image.layers[0].digest

    assert cache.api().manifest("cached", "v1").digest == image.digest
    cold = fetch_seconds(cache, "cached", layer)
    # 2.8 fetches each blob twice, for its client and for its store, and ends the latter later.
    path = f"/v2/cached/blobs/{layer}"
    fetched = [one for one in upstream.requests_since(mark) if one.path == path]
    assert {one.method for one in fetched} == {"HEAD", "GET"}
    over_the_link = upstream.sent_bytes() - sent
    assert cold > LEAST_SECONDS
    assert over_the_link > LAYER_BYTES

    def served_from_the_store() -> bool:
        mark = upstream.mark()
        fetch_seconds(cache, "cached", layer)
        return path not in {one.path for one in upstream.requests_since(mark)}

    wait_until(served_from_the_store, timeout_seconds=30, what="the cache to have stored it")


def test_link_is_slow_after_a_restart_too(
    pair: tuple[DistributionRegistry, DistributionRegistry],
) -> None:
    upstream, _ = pair
    image = oci.image(layer_bytes=LAYER_BYTES)
    upstream.api().push(image, "restarted", "v1")

    upstream.restart()

    assert fetch_seconds(upstream, "restarted", image.layers[0].digest) > LEAST_SECONDS


def test_cache_takes_no_pushes(pair: tuple[DistributionRegistry, DistributionRegistry]) -> None:
    _, cache = pair
    with pytest.raises(UnexpectedStatusError) as refused:
        cache.api().push(oci.image(), "pushed", "v1")
    assert refused.value.status == 405


def test_cache_does_not_start_while_its_upstream_is_away(
    engine: Engine, pair: tuple[DistributionRegistry, DistributionRegistry]
) -> None:
    upstream, cache = pair
    parts = [engine.container(each.handle.container) for each in (upstream, cache)]
    upstreams, caches = (part for part in parts if part is not None)
    upstreams.stop()
    with pytest.raises(RegistryError, match="is not healthy: exited"):
        cache.restart()
    upstreams.start()
    upstream.wait_until_healthy()
    caches.start()
    cache.wait_until_healthy()


def test_bytes_can_be_counted(pair: tuple[DistributionRegistry, DistributionRegistry]) -> None:
    assert all(isinstance(registry, CountsBytes) for registry in pair)


def test_link_of_nothing_that_runs_cannot_be_limited(
    engine: Engine, pair: tuple[DistributionRegistry, DistributionRegistry]
) -> None:
    container = engine.container(pair[1].handle.container)
    assert container is not None
    container.stop()
    with pytest.raises(EngineError, match="cannot be limited"):
        limit_sending(container, 1)
