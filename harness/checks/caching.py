"""Judges pull-through caches: what they fetch, how often, as whom, and what they save."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.protocols import Node
    from harness.registry.protocols import Request

_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def fetched_once(
    cache: str, requests: Sequence[Request], blobs: Sequence[str], nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find whoever fetched a blob from the upstream although it had been fetched before.

    `requests` are the upstream's in the order of its log. Raises Inconclusive for a blob that
    nobody fetched: the cache must have had it already.
    """
    fetched = [(request.path.rpartition("/")[2], request) for request in requests if _got(request)]
    if never := set(blobs) - {digest for digest, _ in fetched}:
        raise Inconclusive(f"nobody fetched {', '.join(sorted(never))} from the upstream")
    names = {node.address: node.name for node in nodes}
    seen: set[str] = set()
    again: Counter[str] = Counter()
    for digest, request in fetched:
        if digest in blobs and digest in seen:
            again[names.get(request.client, cache)] += 1
        seen.add(digest)
    return tuple(
        Finding(
            Code.FETCHED_AGAIN,
            subject,
            f"it fetched {times} of {len(blobs)} blobs from the upstream once more",
            "give the cache storage that lasts and a ttl of days, and lead every node to it; "
            "Distribution 2.8 fetches each blob twice, version 3 once",
        )
        for subject, times in sorted(again.items())
    )


def logged_in(
    cache: str, requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find a cache whose credentials the upstream refuses, in the upstream's log.

    Raises Inconclusive when the cache did not ask for the repository at all.
    """
    addresses = {node.address for node in nodes}
    asked = [
        request
        for request in requests
        if request.client not in addresses and request.path.startswith(f"/v2/{repository}/")
    ]
    if not asked:
        raise Inconclusive(f"{cache} did not ask its upstream for {repository}")
    refused = [request for request in asked if request.status in _DENIED]
    if not refused:
        return ()
    first = refused[0]
    return (
        Finding(
            Code.CACHE_REFUSED,
            cache,
            f"the upstream refused it: {first.method} {first.path} -> {first.status}",
            "correct the account of the upstream in the cache's configuration (proxy.username, "
            "proxy.password), and its rights there",
        ),
    )


def takes_no_pushes(cache: str, refusal: int | None) -> tuple[Finding, ...]:
    """Find a cache that takes pushes, or refuses them as if it only lacked credentials.

    `refusal` is the status with which it refused a new upload, None when it did not.
    """
    if refusal == HTTPStatus.METHOD_NOT_ALLOWED:
        return ()
    answer = "took it" if refusal is None else f"answered {refusal}"
    return (
        Finding(
            Code.PUSH_ACCEPTED,
            cache,
            f"a push to it must be refused with 405, but it {answer}",
            "set proxy.remoteurl: without it the registry is no cache, and what it holds ages",
        ),
    )


def saved_ratio(sent_bytes: int, *, size_bytes: int, pulls: int) -> float:
    """Return the share of bytes that did not leave the upstream, of those that all pulls took.

    `sent_bytes` has headers in it, `size_bytes` is that of the image alone, so the ratio is
    never flattered. At best it is 1 - 1/pulls; it is below 0 where a cache fetches more than
    its nodes would.
    """
    return 1 - sent_bytes / (size_bytes * pulls)


def _got(request: Request) -> bool:
    return request.method == "GET" and request.status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
