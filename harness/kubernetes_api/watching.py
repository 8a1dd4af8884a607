"""Changes of a collection, line by line as the API tells them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

from harness.kubernetes_api.errors import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Self


@dataclass(frozen=True)
class WatchEvent:
    """One change: `type` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: dict[str, Any]


class Watch:
    """An open watch: an iterator of changes that ends when its time is over.

    Raises KubernetesError where the connection breaks, and with status 410 where the version is
    too old to go on from.
    """

    def __init__(self, answer: urllib3.BaseHTTPResponse, path: str) -> None:
        self._answer = answer
        self._path = path
        self._changes = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self._changes

    def __next__(self) -> WatchEvent:
        return next(self._changes)

    def close(self) -> None:
        """End the request."""
        self._changes.close()
        self._answer.close()

    def _read(self) -> Generator[WatchEvent]:
        try:
            for line in _lines(self._answer):
                change = json.loads(line)
                if change["type"] == "ERROR":
                    raise _refusal(change["object"], self._path)
                yield WatchEvent(change["type"], change["object"])
        except urllib3.exceptions.HTTPError as error:
            raise KubernetesError(f"the watch of {self._path} broke: {error}") from error


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield whole lines as soon as they have come."""
    rest = b""
    for piece in answer.stream(65536):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole


def _refusal(told: dict[str, Any], path: str) -> KubernetesError:
    return KubernetesError(
        f"the watch of {path} ended: {told.get('message', 'no message')}",
        status=int(told.get("code", 0)),
        reason=str(told.get("reason", "")),
    )
