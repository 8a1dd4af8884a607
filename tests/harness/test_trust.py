from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from harness.errors import HarnessError
from harness.trust import Authority, certificate_facts, served_certificate

if TYPE_CHECKING:
    from harness.secret import KeyPair
    from harness.trust import Validity

NAME = "primary.pullproof.test"


def context_with(pair: KeyPair, purpose: ssl.Purpose, ca: bytes | None) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cadata=None if ca is None else ca.decode())
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder, "chain"), Path(folder, "key")
        chain.write_bytes(pair.certificate_pem)
        key.write_text(pair.key_pem.reveal())
        context.load_cert_chain(chain, key)
    return context


class OneHandshake:
    """A server on loopback that takes one connection, shakes hands and hangs up."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(10)
        with connection:
            if self._context is None:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    secured.sendall(b"x")
            except (ssl.SSLError, ConnectionError):
                return  # the client refused us, as some tests want


def handshake(port: int, client: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        client.wrap_socket(connection, server_hostname=NAME) as secured,
    ):
        return secured.recv(1)


def server_context(pair: KeyPair) -> ssl.SSLContext:
    return context_with(pair, ssl.Purpose.CLIENT_AUTH, None)


def test_certificate_is_accepted_by_those_who_trust_its_authority() -> None:
    authority = Authority.create("private-ca")
    client = ssl.create_default_context(cadata=authority.certificate_pem.decode())

    with OneHandshake(server_context(authority.issue(NAME))) as server:
        assert handshake(server.port, client) == b"x"


@pytest.mark.parametrize(
    ("names", "validity", "reason"),
    [
        ((NAME,), "expired", "expired"),
        ((NAME,), "not-yet-valid", "not yet valid"),
        (("elsewhere.pullproof.test",), "valid", "ostname mismatch"),
    ],
)
def test_certificate_is_refused_for_its_own_reason(
    names: tuple[str, ...], validity: Validity, reason: str
) -> None:
    authority = Authority.create("private-ca")
    client = ssl.create_default_context(cadata=authority.certificate_pem.decode())

    with (
        OneHandshake(server_context(authority.issue(*names, validity=validity))) as server,
        pytest.raises(ssl.SSLCertVerificationError, match=reason),
    ):
        handshake(server.port, client)


def test_certificate_of_another_authority_is_refused() -> None:
    stranger = Authority.create("another-ca")
    client = ssl.create_default_context(
        cadata=Authority.create("private-ca").certificate_pem.decode()
    )

    with (
        OneHandshake(server_context(stranger.issue(NAME))) as server,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"),
    ):
        handshake(server.port, client)


def test_certificate_serves_as_client_certificate() -> None:
    authority = Authority.create("private-ca")
    ca = authority.certificate_pem
    server_side = context_with(authority.issue(NAME), ssl.Purpose.CLIENT_AUTH, ca)
    server_side.verify_mode = ssl.CERT_REQUIRED
    client = context_with(authority.issue("client.test"), ssl.Purpose.SERVER_AUTH, ca)

    with OneHandshake(server_side) as server:
        assert handshake(server.port, client) == b"x"


def test_facts_are_those_of_the_certificate() -> None:
    authority = Authority.create("private-ca")
    pair = authority.issue(NAME, "127.0.0.1")
    facts = certificate_facts(pair.certificate_pem)

    assert facts.names == (NAME, "127.0.0.1")
    assert f"CN={NAME}" in facts.subject
    assert "OU=private-ca" in facts.issuer
    assert facts.issuer == certificate_facts(authority.certificate_pem).subject
    assert facts.not_before < datetime.now(UTC) < facts.not_after
    assert len(facts.fingerprint) == 64


def test_authority_has_no_names() -> None:
    assert certificate_facts(Authority.create("private-ca").certificate_pem).names == ()


def test_facts_tell_expired_and_not_yet_valid_apart() -> None:
    authority = Authority.create("private-ca")
    now = datetime.now(UTC)

    assert (
        certificate_facts(authority.issue(NAME, validity="expired").certificate_pem).not_after < now
    )
    assert (
        certificate_facts(
            authority.issue(NAME, validity="not-yet-valid").certificate_pem
        ).not_before
        > now
    )


def test_text_without_certificate_is_refused() -> None:
    with pytest.raises(HarnessError, match="no certificate"):
        certificate_facts(b"nothing")


def test_served_certificate_is_seen_without_trusting_it() -> None:
    pair = Authority.create("private-ca").issue(NAME, validity="expired")

    with OneHandshake(server_context(pair)) as server:
        served = served_certificate("127.0.0.1", server.port, server_name=NAME)

    assert certificate_facts(served) == certificate_facts(pair.certificate_pem)


def test_server_without_tls_is_named() -> None:
    with (
        OneHandshake(None) as server,
        pytest.raises(HarnessError, match="no TLS handshake with primary"),
    ):
        served_certificate("127.0.0.1", server.port, server_name=NAME)


def test_private_keys_are_never_shown() -> None:
    pair = Authority.create("private-ca").issue(NAME)

    assert "PRIVATE KEY" not in repr(pair)
    assert "PRIVATE KEY" in pair.key_pem.reveal()
