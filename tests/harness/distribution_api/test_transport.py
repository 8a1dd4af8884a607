from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from harness.distribution_api import (
    DistributionAPI,
    Endpoint,
    PinnedCertificate,
    TrustedAuthority,
)
from harness.errors import RegistryError
from harness.trust import Authority, certificate_facts
from tests.harness.distribution_api.scripted_server import NAME, Answer, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from harness.secret import KeyPair
    from harness.trust import Validity

SCRIPT = {("GET", "/v2/"): Answer(200)}


def tls(pair: KeyPair, folder: Path, *, client_ca: bytes | None = None) -> ssl.SSLContext:
    both = folder / "server.pem"
    both.write_bytes(pair.certificate_pem + pair.key_pem.reveal().encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    if client_ca is not None:
        context.load_verify_locations(cadata=client_ca.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def authority() -> Authority:
    return Authority.create("private-ca")


def test_name_is_verified_although_an_address_is_connected_to(
    authority: Authority, tmp_path: Path
) -> None:
    with ScriptedServer(SCRIPT, tls(authority.issue(NAME), tmp_path)) as server:
        endpoint = server.endpoint(TrustedAuthority(authority.certificate_pem))

        assert DistributionAPI(endpoint).ping().status == 200


@pytest.mark.parametrize(
    ("names", "validity", "reason"),
    [
        ((NAME,), "expired", "expired"),
        ((NAME,), "not-yet-valid", "not yet valid"),
        (("elsewhere.test", "127.0.0.1"), "valid", "ostname mismatch"),
    ],
)
def test_bad_certificate_is_refused(
    authority: Authority, tmp_path: Path, names: tuple[str, ...], validity: Validity, reason: str
) -> None:
    pair = authority.issue(*names, validity=validity)
    with ScriptedServer(SCRIPT, tls(pair, tmp_path)) as server:
        api = DistributionAPI(server.endpoint(TrustedAuthority(authority.certificate_pem)))
        with pytest.raises(RegistryError, match=reason):
            api.ping()

    assert server.received == []


def test_certificate_of_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    pair = Authority.create("another-ca").issue(NAME)
    with ScriptedServer(SCRIPT, tls(pair, tmp_path)) as server:
        api = DistributionAPI(server.endpoint(TrustedAuthority(authority.certificate_pem)))
        with pytest.raises(RegistryError, match="unable to get local issuer"):
            api.ping()


def test_pinned_certificate_is_accepted_whatever_it_says(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("elsewhere.test", validity="expired")
    pin = PinnedCertificate(certificate_facts(pair.certificate_pem).fingerprint)
    with ScriptedServer(SCRIPT, tls(pair, tmp_path)) as server:
        assert DistributionAPI(server.endpoint(pin)).ping().status == 200


def test_other_certificate_than_the_pinned_one_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    pin = PinnedCertificate(certificate_facts(authority.issue(NAME).certificate_pem).fingerprint)
    with (
        ScriptedServer(SCRIPT, tls(authority.issue(NAME), tmp_path)) as server,
        pytest.raises(RegistryError, match="Fingerprints did not match"),
    ):
        DistributionAPI(server.endpoint(pin)).ping()

    assert server.received == []


def test_client_certificate_is_presented(authority: Authority, tmp_path: Path) -> None:
    ca = authority.certificate_pem
    with ScriptedServer(SCRIPT, tls(authority.issue(NAME), tmp_path, client_ca=ca)) as server:
        known = server.endpoint(TrustedAuthority(ca))
        with_certificate = Endpoint(
            known.host, known.address, known.trust, authority.issue("client.test")
        )

        assert DistributionAPI(with_certificate).ping().status == 200
        with pytest.raises(RegistryError, match="GET https"):
            DistributionAPI(known).ping()


def test_plain_http_is_never_tried_instead_of_tls(authority: Authority) -> None:
    with ScriptedServer(SCRIPT) as server:
        api = DistributionAPI(server.endpoint(TrustedAuthority(authority.certificate_pem)))
        with pytest.raises(RegistryError, match="GET https"):
            api.ping()

    assert ("GET", "/v2/") not in {(entry.method, entry.path) for entry in server.received}
