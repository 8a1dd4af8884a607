"""Who we are to a cluster, and that nobody finds our key on the disk."""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness import command
from harness.kubernetes_api import KubernetesAPI, KubernetesError
from harness.machine import CHECKOUT
from harness.trust import Authority
from tests.harness.distribution_api.scripted_server import Answer, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.secret import KeyPair

VERSION = {"gitVersion": "v1.36.0"}
CA = Authority.create("cluster")
USER = CA.issue("prober")


def context_of(pair: KeyPair, folder: Path) -> ssl.SSLContext:
    """A server's, which asks each client for a certificate of the cluster's authority."""
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cadata=CA.certificate_pem.decode()
    )
    context.verify_mode = ssl.CERT_REQUIRED
    chain = folder / "server.pem"
    chain.write_bytes(pair.certificate_pem + pair.key_pem.reveal().encode())
    context.load_cert_chain(chain)
    return context


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    context = context_of(CA.issue("127.0.0.1"), tmp_path)
    body = json.dumps(VERSION).encode()
    with ScriptedServer({("GET", "/version"): Answer(200, body)}, context) as server:
        yield server


def kubeconfig(folder: Path, port: int, ca: bytes = CA.certificate_pem, **cluster: object) -> Path:
    """Write one that holds its certificates, as kind's does."""

    def encoded(content: bytes) -> str:
        return base64.b64encode(content).decode()

    trust = {"certificate-authority-data": encoded(ca)} if ca else {}
    user = {
        "client-certificate-data": encoded(USER.certificate_pem),
        "client-key-data": encoded(USER.key_pem.reveal().encode()),
    }
    where = {"server": f"https://127.0.0.1:{port}", **trust, **cluster}
    file = folder / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "current-context": "a",
                "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
                "clusters": [{"name": "a", "cluster": where}],
                "users": [{"name": "a", "user": user}],
            }
        )
    )
    return file


def test_certificate_of_the_kubeconfig_is_presented(server: ScriptedServer, tmp_path: Path) -> None:
    with KubernetesAPI(kubeconfig(tmp_path, server.port)) as api:
        assert api.get("/version") == VERSION


def test_connections_are_made_by_many_at_once(server: ScriptedServer, tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, server.port)

    def ask(_: int) -> object:
        with KubernetesAPI(file) as api:
            return api.get("/version")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(32))) == [VERSION] * 32


def test_another_authority_is_not_trusted(server: ScriptedServer, tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, server.port, Authority.create("stranger").certificate_pem)

    with KubernetesAPI(file) as api, pytest.raises(KubernetesError, match="certificate verify"):
        api.get("/version")


def test_authorities_of_the_machine_are_trusted_where_none_is_named(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(CA.certificate_pem)
    file = kubeconfig(tmp_path, server.port, b"")
    with KubernetesAPI(file) as api, pytest.raises(KubernetesError, match="certificate verify"):
        api.get("/version")

    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    with KubernetesAPI(file) as api:
        assert api.get("/version") == VERSION


def test_nothing_is_verified_where_the_kubeconfig_says_so(
    server: ScriptedServer, tmp_path: Path
) -> None:
    file = kubeconfig(tmp_path, server.port, b"", **{"insecure-skip-tls-verify": True})

    with pytest.warns(match="Unverified HTTPS"), KubernetesAPI(file) as api:
        assert api.get("/version") == VERSION


def test_kubeconfig_without_a_proper_certificate_is_named(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, 1, b"nonsense")

    with pytest.raises(KubernetesError, match=f"{file} cannot be used"):
        KubernetesAPI(file)


def test_killed_process_leaves_no_key_behind(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    file = kubeconfig(tmp_path, server.port)
    program = (
        "import os, sys, pathlib; from harness.kubernetes_api import KubernetesAPI;"
        f"api = KubernetesAPI(pathlib.Path({str(file)!r})); api.get('/version');"
        "print(os.getpid(), flush=True); sys.stdin.read()"
    )
    with command.companion(
        [sys.executable, "-c", program], directory=CHECKOUT, grace_seconds=10
    ) as process:
        os.kill(int(process.answer(timeout_seconds=30)), signal.SIGKILL)

    assert len(server.received) == 1
    assert list(temporary.iterdir()) == []
