from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.hosts_toml import CERTS_D, Host, HostsFile, lint, render

REGISTRY = "registry.example.test:5000"
CA = f"{CERTS_D}/{REGISTRY}/ca.crt"
FILE = f"{CERTS_D}/{REGISTRY}/hosts.toml"


def test_safe_form_names_everything_at_the_root_and_in_host() -> None:
    server = Host(f"https://{REGISTRY}", ca=CA, client=("/c/client.cert", "/c/client.key"))
    document = tomllib.loads(render(HostsFile(server)))
    options = {
        "capabilities": ["pull", "resolve", "push"],
        "ca": CA,
        "client": [["/c/client.cert", "/c/client.key"]],
    }
    assert document == {"server": server.url, **options, "host": {server.url: options}}


def test_mirrors_stand_in_their_order_before_the_server() -> None:
    mirrors = (
        Host("https://second.test:5000", ("pull", "resolve"), skip_verify=True),
        Host("http://first.test:5000", ("pull",)),
    )
    document = tomllib.loads(render(HostsFile(Host(f"https://{REGISTRY}"), mirrors)))
    assert list(document["host"]) == [mirrors[0].url, mirrors[1].url, f"https://{REGISTRY}"]
    assert document["host"][mirrors[0].url] == {
        "capabilities": ["pull", "resolve"],
        "skip_verify": True,
    }
    assert document["host"][mirrors[1].url] == {"capabilities": ["pull"]}
    assert "skip_verify" not in document


def test_safe_form_passes_the_linter() -> None:
    server = Host(f"https://{REGISTRY}", ca=CA)
    content = render(HostsFile(server, (Host("http://mirror.test:5000"),))).encode()
    assert lint({FILE: content, CA: b""}) == ()


@settings(deadline=None, max_examples=60, database=None)
@given(url=st.text(st.characters(exclude_categories=["Cs"])), ca=st.text("\x7f\x00\"'\\é😀a\n"))
def test_any_text_survives(url: str, ca: str) -> None:
    document = tomllib.loads(render(HostsFile(Host(url, ca=ca))))
    assert document["server"] == url
    assert document["host"][url]["ca"] == ca
