from __future__ import annotations

import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import trustme

from harness.images.model import Image
from harness.wait import wait_until
from tests.integration.images.parts import publisher, running, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine


@pytest.mark.parametrize(
    ("image", "version"),
    [(Image.NODE_1_6, "1.6."), (Image.NODE_1_7, "1.7."), (Image.NODE_2_1, "2.1.")],
)
def test_node_runs_its_containerd(engine: Engine, image: Image, version: str) -> None:
    with running(engine, image) as node:
        answer = wait_until(
            lambda: said(node, "ctr", "version"),
            ready=lambda text: "Server:" in text and "Revision" in text.split("Server:")[1],
            timeout_seconds=20,
            what="containerd",
        )
        plugins = said(node, "ctr", "plugins", "ls")

    assert f"Version:  {version}" in answer.split("Server:")[1]
    assert "cri" in plugins
    assert all("error" not in line for line in plugins.splitlines() if ".cri" in line)


@pytest.mark.parametrize("image", [Image.NODE_1_6, Image.NODE_1_7, Image.NODE_2_1])
def test_node_trusts_no_authority_of_its_own(engine: Engine, image: Image) -> None:
    # containerd trusts anybody on the loopback, so the server listens on another address.
    with (
        bridge(engine) as (network, gateway),
        tls_server(gateway) as address,
        running(engine, image, network=network) as node,
    ):
        refusal = wait_until(
            lambda: said(node, "ctr", "images", "pull", f"{address}/x:1"),
            ready=lambda text: "dial unix" not in text and "containerd.sock" not in text,
            timeout_seconds=20,
            what="an answer of containerd",
        )
        bundle = said(node, "ls", "/etc/ssl/certs")

    assert "x509: certificate signed by unknown authority" in refusal
    assert bundle == ""


@contextmanager
def bridge(engine: Engine) -> Iterator[tuple[str, str]]:
    """A network of its own; yields its name and the host's address in it."""
    name = f"pullproof-test-{uuid4().hex[:8]}"
    network = engine.client.networks.create(name, labels={"pullproof.test": "1"})
    try:
        network.reload()
        yield name, network.attrs["IPAM"]["Config"][0]["Gateway"]
    finally:
        network.remove()


@contextmanager
def tls_server(host: str) -> Iterator[str]:
    """A server whose certificate is right but for its authority; yields its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(host).configure_cert(context)
    with HTTPServer((host, 0), BaseHTTPRequestHandler) as server:
        # Without the handshake at accept: a client that refuses us must not end the server.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"{host}:{server.server_port}"
        server.shutdown()


def test_node_has_the_tools_that_look_at_it(engine: Engine) -> None:
    with running(engine, Image.NODE_1_7) as node:
        assert said(node, "sha256sum", "/etc/nsswitch.conf").endswith("/etc/nsswitch.conf\n")
        assert "coreutils" in said(node, "dd", "--version")
        assert "lo" in said(node, "ip", "-brief", "address")
        assert said(node, "iptables", "--version").startswith("iptables v")
        assert said(node, "runc", "--version").startswith("runc version")
        assert "host-local" in said(node, "ls", "/opt/cni/bin/")
        assert said(node, "sh", "-c", "cat /proc/1/comm") == "tini\n"


def test_registry_answers(engine: Engine) -> None:
    with running(engine, Image.REGISTRY_2_8) as registry, publisher(engine):
        assert " 2.8." in said(registry, "registry", "--version")


def test_registry_3_tells_its_version(engine: Engine) -> None:
    with running(engine, Image.REGISTRY_3) as registry:
        assert " v3.1." in said(registry, "registry", "--version")


def test_prometheus_has_its_tool(engine: Engine) -> None:
    with running(engine, Image.PROMETHEUS, command=["--version"]) as prometheus:
        prometheus.wait(timeout=20)
        assert prometheus.logs().decode().startswith("prometheus, version 2.")
    with running(engine, Image.PROMETHEUS, entrypoint=["promtool", "--version"]) as tool:
        tool.wait(timeout=20)
        assert tool.logs().decode().startswith("promtool, version 2.")


def test_load_balancer_runs_haproxy(engine: Engine) -> None:
    with running(engine, Image.LOAD_BALANCER) as balancer:
        # Without a configuration it ends; that it asks for the documented one is the point.
        balancer.wait(timeout=20)
        assert "/usr/local/etc/haproxy/haproxy.cfg" in balancer.logs().decode()
    with running(engine, Image.LOAD_BALANCER, command=["-v"]) as balancer:
        balancer.wait(timeout=20)
        assert "HAProxy version" in balancer.logs().decode()
