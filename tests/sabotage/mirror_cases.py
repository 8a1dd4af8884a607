"""Broken caches, and nodes that pass them by: what the suite `mirror` must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import workload
from harness.engine.sending import limit_sending
from harness.findings import Code
from harness.machine import CHECKOUT
from harness.result.model import Status
from tests.sabotage.breaking import (
    as_declared,
    declare,
    distribution,
    node_2,
    restart_registry,
)
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.workload import Published
    from tests.sabotage.breaking import Document

REFUSING = "upstream-costs-only-what-is-not-cached"
# Where no two nodes pull at once: content whose life ends amid an answer is not found, or asked for
# at the upstream.
IN_TURN = (
    "test_caching.py::test_each_blob_leaves_the_upstream_once",
    "test_caching.py::test_cache_takes_no_pushes",
    "test_outages.py",
    "test_worth.py",
)
SCENARIO = CHECKOUT / "tests/sabotage/mirror.yaml"
CACHE = "cache.pullproof.test:5000"
# As slow as the upstream's link.
SLOW_MBIT = 2


def _forget_at_once(lab: Lab) -> None:
    """Give content a life that is over before the next node asks for it."""

    def shorten(document: Document) -> None:
        document["proxy"]["ttl"] = "1ms"

    restart_registry(lab.cached()[1], shorten)


def _give_the_cache_a_wrong_password(lab: Lab) -> None:
    def mistype(document: Document) -> None:
        document["proxy"]["password"] = lab.new_password().reveal()

    restart_registry(lab.cached()[1], mistype)


def _fetch_from_nowhere(lab: Lab) -> None:
    def forget_the_upstream(document: Document) -> None:
        del document["proxy"]

    restart_registry(lab.cached()[1], forget_the_upstream)


def _keep_the_first_image_in_the_cache(lab: Lab, published: Published) -> None:
    """Do what a mirror does that somebody filled once and nobody refreshes."""
    _, cache = lab.cached()
    if not cache.api().manifest_exists(published.repository, workload.TAG):
        workload.publish(cache, published.image, repository=published.repository)


def _pass_the_cache_by_on_node_2(lab: Lab) -> None:
    upstream, _ = lab.cached()
    declare(node_2(lab), upstream.host, as_declared(upstream))


def _slow_the_cache_down(lab: Lab) -> None:
    limit_sending(distribution(lab.cached()[1])._container, SLOW_MBIT)


CASES = (
    Case(
        name="cache-forgets-at-once",
        suite="mirror",
        scenario=SCENARIO,
        parts=IN_TURN,
        sabotage=Sabotage(lab_started=_forget_at_once),
        turns_red={
            "mirror.each-blob-leaves-the-upstream-once": Code.FETCHED_AGAIN,
            "mirror.cached-image-is-pulled-while-the-upstream-is-away": Code.PULL_FAILED,
            f"mirror.rate-limited-{REFUSING}": Code.PULL_FAILED,
            f"mirror.failing-{REFUSING}": Code.PULL_FAILED,
            "mirror.cache-saves-time-and-traffic-1mib": Code.TARGET_MISSED,
        },
        subjects=frozenset({CACHE, "node-2", "cache", "upstream"}),
    ),
    Case(
        name="cache-has-a-wrong-password",
        suite="mirror",
        scenario=SCENARIO,
        sabotage=Sabotage(lab_started=_give_the_cache_a_wrong_password),
        turns_red={
            "mirror.nodes-are-served-by-the-cache": Code.WRONG_PATH,
            "mirror.each-blob-leaves-the-upstream-once": Code.WRONG_PATH,
            "mirror.moved-tag-is-followed": Code.WRONG_PATH,
            "mirror.cache-logs-in-to-its-upstream": Code.CACHE_REFUSED,
            "mirror.cached-image-is-pulled-while-the-upstream-is-away": Code.WRONG_PATH,
            f"mirror.rate-limited-{REFUSING}": Code.WRONG_PATH,
            f"mirror.failing-{REFUSING}": Code.WRONG_PATH,
            "mirror.cache-saves-time-and-traffic-1mib": Code.WRONG_PATH,
        },
        subjects=frozenset({CACHE, "node-1", "node-2"}),
    ),
    Case(
        name="node-passes-the-cache-by",
        suite="mirror",
        scenario=SCENARIO,
        sabotage=Sabotage(lab_started=_pass_the_cache_by_on_node_2),
        turns_red={
            "mirror.nodes-are-served-by-the-cache": Code.WRONG_PATH,
            "mirror.each-blob-leaves-the-upstream-once": Code.FETCHED_AGAIN,
            "mirror.cache-logs-in-to-its-upstream": Code.PULL_FAILED,
            "mirror.cached-image-is-pulled-while-the-upstream-is-away": Code.PULL_FAILED,
            f"mirror.rate-limited-{REFUSING}": Code.PULL_FAILED,
            f"mirror.failing-{REFUSING}": Code.PULL_FAILED,
            "mirror.cache-saves-time-and-traffic-1mib": Code.TARGET_MISSED,
        },
        subjects=frozenset({"node-2", "cache", "upstream"}),
    ),
    Case(
        name="cache-has-a-slow-link-too",
        suite="mirror",
        scenario=SCENARIO,
        sabotage=Sabotage(lab_started=_slow_the_cache_down),
        turns_red={"mirror.cache-saves-time-and-traffic-1mib": Code.TARGET_MISSED},
        subjects=frozenset({"cache"}),
    ),
    Case(
        name="cache-is-a-mirror-that-nobody-refreshes",
        suite="mirror",
        scenario=SCENARIO,
        sabotage=Sabotage(
            lab_started=_fetch_from_nowhere, published=_keep_the_first_image_in_the_cache
        ),
        turns_red={
            "mirror.moved-tag-is-followed": Code.WRONG_BYTES,
            "mirror.cache-takes-no-pushes": Code.PUSH_ACCEPTED,
            "mirror.missing-upstream-is-named-and-forgotten": Code.PULL_ACCEPTED,
            f"mirror.rate-limited-{REFUSING}": Code.PULL_ACCEPTED,
            f"mirror.failing-{REFUSING}": Code.PULL_ACCEPTED,
        },
        subjects=frozenset({CACHE, "node-1", "node-2"}),
        leaves_open={
            "mirror.each-blob-leaves-the-upstream-once": Status.INCONCLUSIVE,
            "mirror.cache-logs-in-to-its-upstream": Status.INCONCLUSIVE,
            "mirror.cache-saves-time-and-traffic-1mib": Status.INCONCLUSIVE,
        },
        reason="upstream",
    ),
)
