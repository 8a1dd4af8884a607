from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.keyring import dockerconfigjson
from harness.scenario.files import passwords_in, read_authority, read_credentials
from harness.scenario.load import ScenarioErrors, load
from harness.scenario.model import RegistrySpec
from harness.secret import Credentials, Secret

if TYPE_CHECKING:
    from pathlib import Path

    from harness.scenario.model import Scenario

HOST = "registry.example.test:5000"
ACCOUNT = Credentials("pusher", Secret("hush"))
PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


def loaded(folder: Path, keys: str) -> Scenario:
    file = folder / "some.yaml"
    file.write_text(
        "version: 1\nname: some\ncluster: {provider: existing}\nregistries:\n"
        f"  - name: a\n    provider: existing\n    host: {HOST}\n    {keys}\n"
    )
    return load(file).scenario


def told(folder: Path, keys: str) -> str:
    with pytest.raises(ScenarioErrors) as caught:
        loaded(folder, keys)
    return str(caught.value)


def test_files_lie_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    (tmp_path / "config.json").write_text(dockerconfigjson({HOST: ACCOUNT}).reveal())

    registry = loaded(tmp_path, "caFile: ca.pem\n    credentialsFile: config.json").primary

    assert registry.ca_file == str(tmp_path / "ca.pem")
    assert read_authority(registry) == PEM.encode()
    assert read_credentials(registry) == ACCOUNT


def test_home_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert loaded(tmp_path, "caFile: ~/ca.pem").primary.ca_file == str(tmp_path / "ca.pem")


def test_account_may_be_for_the_runs_repositories_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(dockerconfigjson({f"{HOST}/team": ACCOUNT}).reveal())
    spec = RegistrySpec(
        name="a",
        provider="existing",
        host=HOST,
        credentials_file=str(file),
        repository_prefix="team",
    )

    assert read_credentials(spec) == ACCOUNT


def test_registry_without_files_has_neither(tmp_path: Path) -> None:
    registry = loaded(tmp_path, "plainHttp: true").primary

    assert read_authority(registry) is None
    assert read_credentials(registry) is None


def test_missing_file_is_named_with_its_line(tmp_path: Path) -> None:
    message = told(tmp_path, "caFile: none.pem")

    assert f"some.yaml:8: caFile: {tmp_path / 'none.pem'} cannot be read: No such file" in message


def test_file_without_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("MII")

    assert "holds no certificate in PEM form" in told(tmp_path, "caFile: ca.pem")


@pytest.mark.parametrize(
    "auths",
    [{}, {HOST: {}}, {HOST: {"username": "pusher"}}, {"other.example.test": {"auth": "YTpi"}}],
)
def test_file_without_a_password_for_the_registry_is_refused(
    tmp_path: Path, auths: dict[str, dict[str, str]]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths, "credsStore": "desktop"}))

    message = told(tmp_path, "credentialsFile: config.json")

    assert f"holds no password for {HOST}" in message


def test_malformed_credentials_are_refused_without_showing_them(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": "hush"}')

    message = told(tmp_path, "credentialsFile: config.json")

    assert "auths is not a JSON object" in message
    assert "hush" not in message


def test_passwords_of_all_registries_are_known_for_redaction(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(dockerconfigjson({HOST: ACCOUNT}).reveal())

    with_account = loaded(tmp_path, "credentialsFile: config.json")
    without = loaded(tmp_path, "plainHttp: true")

    assert passwords_in(with_account) == (ACCOUNT.password,)
    assert passwords_in(without) == ()
