"""Proves which host served a node, from the access log of the host itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.cluster.protocols import Node
    from harness.registry.protocols import Request
    from harness.secret import Credentials

_SERVED = frozenset((200, 206))
_DENIED = frozenset((401, 403))
_ORDER = "look at the order of hosts in the node's hosts.toml"


def served_by(
    requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that did not get content of the repository from the host of this log."""
    return tuple(
        Finding(
            Code.WRONG_PATH,
            node.name,
            f"the access log has no content of {repository} served to {node.address}; "
            f"{_seen(_of(requests, repository, node))}",
            "look at the node's hosts.toml: the content came from another host or from the "
            "node's own store",
        )
        for node in nodes
        if not _served(_of(requests, repository, node))
    )


def not_served_by(
    host: str, requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that got content of the repository from a host that must not serve it."""
    return tuple(
        Finding(
            Code.WRONG_PATH,
            node.name,
            f"{host} served {repository} to it; {_seen(_of(requests, repository, node))}",
            _ORDER,
        )
        for node in nodes
        if _served(_of(requests, repository, node))
    )


def not_asked(
    host: str, requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that asked a host although an earlier one had everything."""
    return tuple(
        Finding(
            Code.WRONG_PATH,
            node.name,
            f"{host} was asked for {repository}; {_seen(asked)}",
            _ORDER,
        )
        for node in nodes
        if (asked := _of(requests, repository, node))
    )


def asked(
    host: str, requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that did not ask a host for a repository, or were not answered well."""
    return _not_answered(host, requests, repository, nodes, _SERVED)


def asked_in_vain(
    host: str, requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that did not ask a host, or got content from one that has none.

    A host with accounts of its own answers 401 rather than 404.
    """
    return (
        *_not_answered(host, requests, repository, nodes, _DENIED | {404}),
        *not_served_by(host, requests, repository, nodes),
    )


def refused_by(
    host: str, requests: Sequence[Request], repository: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that the host did not turn away for their credentials, or that it served."""
    return (
        *_not_answered(host, requests, repository, nodes, _DENIED),
        *not_served_by(host, requests, repository, nodes),
    )


def names_origin(
    requests: Sequence[Request], repository: str, origin: str, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Find nodes that asked a mirror without naming the origin in the `ns` parameter.

    containerd adds it to each request to a mirror; without it a mirror of several origins
    cannot tell them apart.
    """
    return tuple(
        Finding(
            Code.WRONG_PATH,
            node.name,
            f"expected ns={origin} in requests for {repository}, got "
            f"{_listed(request.namespace for request in _of(requests, repository, node))}",
            "configure the mirror in certs.d with a hosts.toml, not as the registry itself",
        )
        for node in nodes
        if {request.namespace for request in _of(requests, repository, node)} != {origin}
    )


def served_to_user(
    requests: Sequence[Request],
    repository: str,
    credentials: Credentials | None,
    nodes: Sequence[Node],
) -> tuple[Finding, ...]:
    """Find nodes that were served content of a repository under another user's name.

    Raises Inconclusive without credentials to compare with, or when no node was served.
    """
    users = {
        node.name: {
            request.user for request in _of(requests, repository, node) if _served([request])
        }
        for node in nodes
    }
    if credentials is None or not any(users.values()):
        raise Inconclusive(f"no request for {repository} can show which user it was served to")
    return tuple(
        Finding(
            Code.WRONG_PATH,
            node,
            f"{repository} was served to user {_listed(strangers)}, expected "
            f"{credentials.username}",
            "make the registry ask for credentials on pulls too, and look for credentials in the "
            "node's own configuration",
        )
        for node, served_to in users.items()
        if (strangers := served_to - {credentials.username})
    )


def not_fetched(requests: Sequence[Request], digests: Sequence[str], node: Node) -> tuple[str, ...]:
    """Return the blobs that a node did not get from the host of this log: its pull was not cold."""
    address = node.address
    fetched = {
        request.path.rpartition("/")[2]
        for request in requests
        if request.client == address and _served([request])
    }
    return tuple(digest for digest in digests if digest not in fetched)


def _not_answered(
    host: str,
    requests: Sequence[Request],
    repository: str,
    nodes: Sequence[Node],
    statuses: frozenset[int],
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for node in nodes:
        asked = _of(requests, repository, node)
        if statuses.isdisjoint(request.status for request in asked):
            wanted = _listed(map(str, statuses))
            evidence = f"{host} never answered {wanted} for {repository}; {_seen(asked)}"
            found.append(Finding(Code.WRONG_PATH, node.name, evidence, _ORDER))
    return tuple(found)


def _of(requests: Iterable[Request], repository: str, node: Node) -> list[Request]:
    """Return a node's requests for one repository."""
    address = node.address
    return [
        request
        for request in requests
        if request.client == address and request.path.startswith(f"/v2/{repository}/")
    ]


def _served(requests: Iterable[Request]) -> bool:
    """Whether content went over the wire; HEAD only asks whether there is any."""
    return any(request.method == "GET" and request.status in _SERVED for request in requests)


def _seen(requests: Sequence[Request]) -> str:
    """Say what a node asked, at most three of its requests."""
    if not requests:
        return "it did not ask at all"
    lines = [f"{request.method} {request.path} -> {request.status}" for request in requests]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""  # noqa: PLR2004
    return "its requests: " + ", ".join(lines[:3]) + more


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted({word or "(none)" for word in words})) or "no request"
