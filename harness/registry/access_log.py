"""What Distribution logs of the requests that it serves, as data; pure.

Two kinds of lines tell of a request:
- an Apache "combined" line for every request when it is over, refused ones included, with no
  user name (`registry.go` wraps its handler in gorilla's CombinedLoggingHandler);
- JSON lines that share a request id. Where accounts are in use, those of level debug name the
  user, and `response completed` tells what was answered; a 401 has no such line
  (`registry/handlers/app.go`). Requests for `/v2/` itself never name their user.

So the Apache lines are the list, and the JSON lines lend them their users.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from harness.registry.protocols import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A repository that nobody has: requests for it mark a position in the log.
MARKER_REPOSITORY: Final = "pullproof-marker"

_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_LINE: Final = re.compile(
    rf'(\S+) - \S+ \[[^\]]+\] "(\S+) (\S+) HTTP/[0-9.]+" (\d+) (\d+) {_QUOTED} {_QUOTED}'
)


class _Served(NamedTuple):
    client: str
    method: str
    uri: str
    status: int
    written: int


def requests(log: str) -> tuple[Request, ...]:
    """Return all requests of a log in the order of their ends, marker requests left out."""
    lines = log.splitlines()
    users = _users([line for line in lines if line.startswith("{")])
    found = []
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or f"/{MARKER_REPOSITORY}/" in line:
            continue
        client, method, uri, status, written, _, agent = match.groups()
        served = _Served(client, method, uri, int(status), int(written))
        target = urlsplit(uri)
        found.append(
            Request(
                client=client,
                method=method,
                path=target.path,
                namespace=parse_qs(target.query).get("ns", [""])[0],
                status=served.status,
                response_bytes=served.written,
                # Requests that are alike in all of this differ at most in their users, so it
                # does not matter which line gets which.
                user=users[served].pop() if users.get(served) else "",
                user_agent=agent,
            )
        )
    return tuple(found)


def _users(lines: Sequence[str]) -> Mapping[_Served, list[str]]:
    names: dict[str, str] = {}
    answered: dict[_Served, list[str]] = defaultdict(list)
    for line in lines:
        names_user = '"auth.user.name"' in line
        completes = '"http.response.status"' in line
        if not (names_user or completes):
            continue
        entry = json.loads(line)
        request = str(entry.get("http.request.id", ""))
        if names_user:
            names[request] = str(entry["auth.user.name"])
        if completes and request in names:
            answered[_served(entry)].append(names[request])
    return answered


def _served(entry: Mapping[str, object]) -> _Served:
    client = str(entry["http.request.remoteaddr"]).rpartition(":")[0].strip("[]")
    return _Served(
        client=client,
        method=str(entry["http.request.method"]),
        uri=str(entry["http.request.uri"]),
        status=int(str(entry["http.response.status"])),
        written=int(str(entry["http.response.written"])),
    )
