"""The credentials that the kubelet takes from a pull secret for an image.

Follows Kubernetes v1.35, `pkg/credentialprovider/keyring.go` and `config.go`, which have kept
these rules since v1.8.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError
from harness.oci import Reference
from harness.secret import Credentials, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUB: Final = "docker.io"
_HUB_KEY: Final = "index.docker.io"
_BRACKETED: Final = re.compile(r"\[(?P<host>[^]]*)\]:(?P<port>\d*)")


class KeyringError(HarnessError):
    """A pull secret is malformed; the message never holds its contents."""


@dataclass(frozen=True)
class Entry:
    """Credentials for the registries that a key matches.

    `host` is a name or pattern with the port, `path` begins with a slash or is empty.
    """

    host: str
    path: str
    credentials: Credentials

    def matches(self, reference: Reference) -> bool:
        """Tell whether the kubelet offers these credentials for an image.

        Ports are equal; names have equally many dot-separated parts, each of which matches as a
        pattern; the path is a prefix, letter by letter: `/team` matches `/team-b/app` too.
        """
        patterns, port = _split_host(self.host)
        parts, wanted_port = _split_host(reference.host)
        return (
            port == wanted_port
            and len(patterns) == len(parts)
            and f"/{reference.repository}".startswith(self.path)
            # Go writes [^a] for what is [!a] here.
            and all(map(fnmatchcase, parts, (pattern.replace("[^", "[!") for pattern in patterns)))
        )


@dataclass(frozen=True)
class Keyring:
    """The entries of a pull secret in the order in which the kubelet offers them."""

    entries: tuple[Entry, ...]

    @classmethod
    def parse(cls, secret: Secret) -> Keyring:
        """Read the content of a `.dockerconfigjson`.

        A secret without `auths` gives an empty keyring, as it does to the kubelet. Raises
        KeyringError where the kubelet fails the pull (no JSON, wrong types, an `auth` that
        cannot be decoded) and also where it only logs and goes on (a key that is no address).
        """
        try:
            document: object = json.loads(secret.reveal())
        except (ValueError, RecursionError):
            raise KeyringError(
                "the pull secret is not JSON",
                remedy="make it anew with kubectl create secret docker-registry",
            ) from None
        auths = _members(_members(document, "the pull secret").get("auths"), "auths")
        entries = [_entry(key, value) for key, value in auths.items()]
        # The kubelet sorts keys as text, backwards: longer paths of a host come first, and names
        # before patterns. Entries whose keys become equal keep their order here; in the kubelet
        # their order is random.
        entries.sort(key=lambda entry: entry.host + entry.path, reverse=True)
        return cls(tuple(entries))

    def lookup(self, reference: str) -> tuple[Credentials, ...]:
        """Return all credentials for an image, first to last as the kubelet tries them.

        The key `index.docker.io` serves images of docker.io for which no other key matches.
        Raises HarnessError for what is no reference.
        """
        wanted = Reference.parse(reference)
        found = tuple(entry for entry in self.entries if entry.matches(wanted))
        if not found and wanted.host == _HUB:
            found = tuple(entry for entry in self.entries if entry.host + entry.path == _HUB_KEY)
        return tuple(entry.credentials for entry in found)


def dockerconfigjson(entries: Mapping[str, Credentials]) -> Secret:
    """Return the content of a `.dockerconfigjson`, as kubectl makes it.

    Raises KeyringError for a user name with a colon: the kubelet would cut it there.
    """
    auths = {}
    for key, credentials in entries.items():
        user, password = credentials.username, credentials.password.reveal()
        if ":" in user:
            raise KeyringError(
                f"the user name for {_shown(key)} holds a colon, which basic authentication "
                "cannot carry",
                remedy="choose another user name",
            )
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        auths[key] = {"username": user, "password": password, "auth": auth}
    return Secret(json.dumps({"auths": auths}))


def _entry(key: str, value: object) -> Entry:
    host, path = _address(key)
    return Entry(host, path, _credentials(key, value))


def _address(key: str) -> tuple[str, str]:
    """Return host and path of a key; scheme, user, query and the API's /v1/ or /v2/ are no part."""
    rest = re.sub(r"^https?://", "", key)
    authority, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    host = authority.rpartition("@")[2]
    port = re.search(r":([^]:]*)$", host)
    if not host or re.search(r"[\s\\%]", host) or (port and not re.fullmatch(r"\d*", port[1])):
        raise KeyringError(
            f"the key {_shown(key)!r} of the pull secret is no address of a registry",
            remedy="write it as host:port or host:port/path",
        )
    path = re.sub(r"^/v[12]/", "/", slash + path)
    return host, "" if path == "/" else path


def _credentials(key: str, value: object) -> Credentials:
    subject = f"the entry {_shown(key)} of the pull secret"
    # Go's JSON takes names in any case.
    members = {name.lower(): text for name, text in _members(value, subject).items()}
    texts = {name: members.get(name) or "" for name in ("username", "password", "auth")}
    username, password, auth = (_text(text, f"{name} in {subject}") for name, text in texts.items())
    if auth:
        username, password = _decoded(auth, subject)
    return Credentials(username, Secret(password))


def _decoded(auth: str, subject: str) -> tuple[str, str]:
    """Return user name and password of an `auth`; its padding may be left out."""
    text = re.sub(r"[\r\n]", "", auth)
    padding = "" if text.endswith("=") else "=" * (-len(text) % 4)
    try:
        username, colon, password = (
            base64.b64decode(text + padding, validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        username = colon = password = ""
    if not colon:
        raise KeyringError(
            f"auth in {subject} is not base64 of user:password",
            remedy="leave auth out and give username and password",
        )
    return username, password


def _members(value: object, subject: str) -> dict[str, object]:
    """Return a JSON object's members; null has none, as in Go."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise KeyringError(f"{subject} is not a JSON object", remedy="see `kubectl create secret`")
    return value


def _text(value: object, subject: str) -> str:
    if not isinstance(value, str):
        raise KeyringError(f"{subject} is not a text", remedy="write it in quotes")
    return value


def _shown(key: str) -> str:
    """Return a key without the password that an address may carry."""
    return key.rpartition("@")[2]


def _split_host(host: str) -> tuple[list[str], str]:
    """Return the dot-separated parts of a host and its port, as Go's net.SplitHostPort does."""
    bracketed = _BRACKETED.fullmatch(host)
    if bracketed:
        return bracketed["host"].split("."), bracketed["port"]
    name, _, port = host.partition(":")
    if host.count(":") > 1:
        name, port = host, ""
    return name.split("."), port
