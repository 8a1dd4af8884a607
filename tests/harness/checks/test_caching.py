from __future__ import annotations

import pytest

from harness import checks
from harness.findings import Code, Inconclusive
from tests.harness.checks.parts import NODES, REPOSITORY, request

CACHE = "cache.test:5000"
CACHES_ADDRESS = "10.0.0.9"
BLOBS = ("sha256:aa", "sha256:bb")
FIRST, SECOND = (f"/v2/{REPOSITORY}/blobs/{digest}" for digest in BLOBS)
ONCE = [request(CACHES_ADDRESS, path=FIRST), request(CACHES_ADDRESS, 206, path=SECOND)]


def test_blobs_that_left_the_upstream_once_are_sound() -> None:
    questions = [request(CACHES_ADDRESS, method="HEAD", path=FIRST)] * 2
    manifests = [request(CACHES_ADDRESS, path=f"/v2/{REPOSITORY}/manifests/v1")] * 2

    assert checks.fetched_once(CACHE, [*questions, *ONCE, *manifests], BLOBS, NODES) == ()


def test_whoever_fetched_again_is_found() -> None:
    log = [*ONCE, *ONCE, request(NODES[1].address, path=FIRST)]

    by_cache, by_node = checks.fetched_once(CACHE, log, BLOBS, NODES)

    assert {by_cache.code, by_node.code} == {Code.FETCHED_AGAIN}
    assert (by_cache.subject, by_node.subject) == (CACHE, "node-2")
    assert by_cache.evidence.startswith("it fetched 2 of 2 blobs")
    assert by_node.evidence.startswith("it fetched 1 of 2 blobs")


def test_blob_that_nobody_fetched_proves_nothing() -> None:
    with pytest.raises(Inconclusive, match="nobody fetched sha256:bb"):
        checks.fetched_once(CACHE, ONCE[:1], BLOBS, NODES)


def test_cache_that_was_let_in_is_sound_whatever_nodes_were_told() -> None:
    log = [*ONCE, request(NODES[0].address, 401), request(CACHES_ADDRESS, 401, path="/v2/")]

    assert checks.logged_in(CACHE, log, REPOSITORY, NODES) == ()


@pytest.mark.parametrize("status", [401, 403])
def test_cache_that_was_refused_is_found(status: int) -> None:
    (finding,) = checks.logged_in(
        CACHE, [request(CACHES_ADDRESS, status, path=FIRST)], REPOSITORY, NODES
    )

    assert (finding.code, finding.subject) == (Code.CACHE_REFUSED, CACHE)
    assert f"GET {FIRST} -> {status}" in finding.evidence


def test_cache_that_did_not_ask_proves_nothing() -> None:
    with pytest.raises(Inconclusive, match="did not ask its upstream"):
        checks.logged_in(CACHE, [request(NODES[0].address)], REPOSITORY, NODES)


def test_push_is_refused_as_something_that_caches_never_do() -> None:
    assert checks.takes_no_pushes(CACHE, 405) == ()


@pytest.mark.parametrize(("refusal", "words"), [(None, "took it"), (401, "answered 401")])
def test_push_that_was_not_refused_so_is_found(refusal: int | None, words: str) -> None:
    (finding,) = checks.takes_no_pushes(CACHE, refusal)

    assert (finding.code, finding.subject) == (Code.PUSH_ACCEPTED, CACHE)
    assert words in finding.evidence


def test_saved_is_what_did_not_leave_the_upstream() -> None:
    assert checks.saved_ratio(100, size_bytes=100, pulls=4) == 0.75
    assert checks.saved_ratio(250, size_bytes=100, pulls=2) == -0.25
