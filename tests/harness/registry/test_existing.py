from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from harness.distribution_api import MachineTrust, TrustedAuthority
from harness.errors import RegistryError
from harness.keyring import dockerconfigjson
from harness.registry.existing import ExistingRegistry, existing_registry
from harness.scenario.model import RegistrySpec
from harness.secret import Credentials, Secret
from harness.trust import Authority
from tests.harness.distribution_api.scripted_server import NAME, Answer, ScriptedServer
from tests.harness.distribution_api.test_transport import tls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = Credentials("pusher", Secret("hush"))
SCRIPT = {("GET", "/v2/"): Answer(200)}


@pytest.fixture
def authority() -> Authority:
    return Authority.create("private-ca")


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[ScriptedServer]:
    with ScriptedServer(SCRIPT, tls(authority.issue(NAME), tmp_path)) as running:
        yield running


def registry(folder: Path, ca: bytes, *, host: str, address: str | None) -> ExistingRegistry:
    (folder / "ca.pem").write_bytes(ca)
    (folder / "config.json").write_text(dockerconfigjson({host: ACCOUNT}).reveal())
    return existing_registry(
        RegistrySpec(
            name="a",
            provider="existing",
            host=host,
            address=address,
            ca_file=str(folder / "ca.pem"),
            credentials_file=str(folder / "config.json"),
        )
    )


def test_name_is_verified_at_an_address_with_a_port_of_its_own(
    server: ScriptedServer, authority: Authority, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{server.port}"
    found = registry(tmp_path, authority.certificate_pem, host=f"{NAME}:1", address=address)

    assert found.api().ping().status == 200
    assert found.credentials == ACCOUNT
    assert found.ca == authority.certificate_pem


def test_certificate_for_another_name_is_refused_at_an_address(
    server: ScriptedServer, authority: Authority, tmp_path: Path
) -> None:
    host, address = f"elsewhere.test:{server.port}", "127.0.0.1"
    found = registry(tmp_path, authority.certificate_pem, host=host, address=address)

    with pytest.raises(RegistryError, match="ostname mismatch"):
        found.api().ping()


def test_without_an_address_the_name_is_resolved() -> None:
    with ScriptedServer(SCRIPT) as server:
        spec = RegistrySpec(
            name="a", provider="existing", host=f"localhost:{server.port}", plain_http=True
        )

        assert existing_registry(spec).api().ping().status == 200


def test_host_without_a_port_has_the_schemes_own(tmp_path: Path) -> None:
    private = registry(tmp_path, b"-----BEGIN CERTIFICATE-----", host="a.test", address=None)
    public = existing_registry(RegistrySpec(name="a", provider="existing", host="a.test"))
    plain = existing_registry(
        RegistrySpec(name="a", provider="existing", host="a.test", plain_http=True)
    )

    assert isinstance(private.endpoint.trust, TrustedAuthority)
    assert public.endpoint.trust == MachineTrust()
    assert [each.endpoint.port for each in (private, public, plain)] == [443, 443, 80]
    assert public.endpoint.base_url == "https://a.test"
    assert plain.endpoint.base_url == "http://a.test"
    assert {each.endpoint.name for each in (private, public, plain)} == {"a.test"}


def test_certificate_that_this_machine_does_not_trust_is_refused(
    server: ScriptedServer,
) -> None:
    spec = RegistrySpec(
        name="a", provider="existing", host=f"{NAME}:{server.port}", address="127.0.0.1"
    )

    with pytest.raises(RegistryError, match="CERTIFICATE_VERIFY_FAILED"):
        existing_registry(spec).api().ping()


def test_registry_can_be_sent_to_another_process(tmp_path: Path) -> None:
    found = registry(tmp_path, b"-----BEGIN CERTIFICATE-----", host="a.test", address=None)

    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes


def test_no_log_is_taken(tmp_path: Path) -> None:
    spec = RegistrySpec(name="a", provider="existing", host="a.test")

    existing_registry(spec).collect_logs(tmp_path / "logs")

    assert not (tmp_path / "logs").exists()
