"""A hosts.toml in the form that every containerd from 1.6 on reads alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

Capability = Literal["pull", "resolve", "push"]


@dataclass(frozen=True)
class Host:
    """A registry as nodes reach it; paths are absolute paths on the node.

    `client` is a certificate and its key. `skip_verify` trusts whoever answers.
    """

    url: str
    capabilities: tuple[Capability, ...] = ("pull", "resolve", "push")
    ca: str | None = None
    client: tuple[str, str] | None = None
    skip_verify: bool = False


@dataclass(frozen=True)
class HostsFile:
    """Whom a node asks for a registry's images: mirrors in their order, the server last.

    A mirror in the server's place keeps nodes from ever asking the registry itself.
    """

    server: Host
    mirrors: tuple[Host, ...] = ()


def render(hosts: HostsFile) -> str:
    """Return the file's text.

    The server stands at the root and as the last [host], both with all its options: without any
    [host] table containerd 1.6 and 1.7 ignore the file, and with options in [host] alone they
    ask the server once more without them.
    """
    rows = [f"server = {_text(hosts.server.url)}", *_options(hosts.server)]
    for host in (*hosts.mirrors, hosts.server):
        rows += ["", f"[host.{_text(host.url)}]", *(f"  {row}" for row in _options(host))]
    return "\n".join(rows) + "\n"


def _options(host: Host) -> list[str]:
    rows = [f"capabilities = [{', '.join(map(_text, host.capabilities))}]"]
    if host.ca is not None:
        rows.append(f"ca = {_text(host.ca)}")
    if host.client is not None:
        rows.append(f"client = [[{', '.join(map(_text, host.client))}]]")
    if host.skip_verify:
        rows.append("skip_verify = true")
    return rows


def _text(text: str) -> str:
    """Return a basic string of TOML: like JSON's, but DEL is escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
