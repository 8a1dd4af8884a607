"""Judges what registries and runtimes say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping


def stays_put(host: str, tls: bool, location: str) -> tuple[Finding, ...]:
    """Find an upload address that leads to another scheme or host than the request's.

    A relative address is sound; it is resolved against the request.
    """
    expected = ("https" if tls else "http", host)
    parts = urlsplit(location)
    if not parts.netloc or (parts.scheme, parts.netloc) == expected:
        return ()
    return (
        Finding(
            Code.UPLOAD_LOCATION,
            host,
            f"uploads are sent to {parts.scheme}://{parts.netloc}, expected "
            f"{expected[0]}://{expected[1]}",
            "let the proxy pass Host and X-Forwarded-Proto on, or set http.host or "
            "http.relativeurls in the registry's configuration",
        ),
    )


def keeps_tls(subject: str, tls: bool, redirect: str) -> tuple[Finding, ...]:
    """Find a redirect of a blob's readers from TLS to plain HTTP; an empty one is none."""
    if not tls or urlsplit(redirect).scheme in ("", "https"):
        return ()
    return (
        Finding(
            Code.BLOB_REDIRECT,
            subject,
            f"readers of blobs are sent from TLS to {redirect}",
            "give the storage's address by https, or disable redirects in its configuration",
        ),
    )


def runtime_ready(node: str, conditions: Mapping[str, str]) -> tuple[Finding, ...]:
    """Find conditions of a node's runtime that are not met: type to reason and message."""
    return tuple(
        Finding(
            Code.RUNTIME_NOT_READY,
            node,
            f"{condition}: {words}",
            "read the runtime's log from its start: a plugin that failed to load says why",
        )
        for condition, words in sorted(conditions.items())
    )
