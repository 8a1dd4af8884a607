from __future__ import annotations

import pytest

from harness.scenario import kinds
from harness.scenario.kinds import Kind
from harness.scenario.model import AuthSpec, RegistrySpec, Scenario, TLSSpec

REGISTRIES = (
    RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec()),
    RegistrySpec(name="unknown-ca", tls=TLSSpec(issuer="another-ca"), declared_on_nodes=False),
    RegistrySpec(name="expired", tls=TLSSpec(certificate="expired")),
    RegistrySpec(name="mutual", tls=TLSSpec(client_certificate="required")),
    RegistrySpec(name="plain", auth=AuthSpec()),
    RegistrySpec(name="undeclared", declared_on_nodes=False),
    RegistrySpec(name="open-mirror", tls=TLSSpec(), mirror_of="primary"),
    RegistrySpec(name="private-mirror", tls=TLSSpec(), auth=AuthSpec(), mirror_of="primary"),
    RegistrySpec(name="cache", version="3", auth=AuthSpec(), proxy_of="plain"),
    RegistrySpec(name="balanced", replicas=2, declared_on_nodes=False),
    RegistrySpec(name="replicated", replicas=2),
    RegistrySpec(name="hub", tls=TLSSpec(), auth=AuthSpec(), mirror_of="docker.io"),
)
CACHE = next(spec for spec in REGISTRIES if spec.name == "cache")
SCENARIO = Scenario(version=1, name="some", registries=REGISTRIES)
PRIMARY = SCENARIO.primary


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (kinds.certified("valid"), ["primary", "open-mirror", "private-mirror", "hub"]),
        (kinds.certified("expired"), ["expired"]),
        (kinds.certified("wrong-name"), []),
        (kinds.UNKNOWN_CA, ["unknown-ca"]),
        (kinds.CLIENT_CERTIFICATE, ["mutual"]),
        (kinds.PLAIN_HTTP, ["plain", "cache", "replicated"]),
        (kinds.CACHE, ["cache"]),
        (kinds.upstream_of(CACHE), ["plain"]),
        (
            kinds.SOUND,
            ["primary", "mutual", "plain", "open-mirror", "private-mirror", "replicated", "hub"],
        ),
        (kinds.REPLICATED, ["replicated"]),
        (kinds.WITH_ACCOUNTS, ["primary", "plain"]),
        (kinds.mirrored(SCENARIO), ["primary"]),
        (kinds.mirror_of(PRIMARY), ["open-mirror", "private-mirror"]),
        (kinds.private_mirror_of(PRIMARY), ["private-mirror"]),
        (kinds.PRIVATE_MIRROR_OF_HUB, ["hub"]),
    ],
    ids=lambda value: value.words if isinstance(value, Kind) else "",
)
def test_kind_matches_exactly_its_registries(kind: Kind, names: list[str]) -> None:
    assert [spec.name for spec in REGISTRIES if kind.matches(spec)] == names


def test_words_complete_the_sentence_that_there_is_none() -> None:
    assert kinds.mirror_of(PRIMARY).words == "that mirrors primary"
    assert kinds.private_mirror_of(PRIMARY).words.startswith("that mirrors primary with")


def test_registry_that_exists_is_of_the_kinds_that_its_files_tell() -> None:
    plain = RegistrySpec(name="a", provider="existing", host="a.test:5000", plain_http=True)
    public = RegistrySpec(name="a", provider="existing", host="a.test")
    private = RegistrySpec(
        name="a", provider="existing", host="a.test", ca_file="ca", credentials_file="config"
    )

    assert [kinds.PLAIN_HTTP.matches(spec) for spec in (plain, public, private)] == [
        True,
        False,
        False,
    ]
    valid = kinds.certified("valid")
    assert [valid.matches(spec) for spec in (plain, public, private)] == [False, False, True]
    accounts = kinds.WITH_ACCOUNTS
    assert [accounts.matches(spec) for spec in (plain, public, private)] == [False, False, True]
    assert not kinds.certified("expired").matches(private)
    assert all(kinds.SOUND.matches(spec) for spec in (plain, public, private))


def test_repositories_begin_with_the_registrys_prefix() -> None:
    assert RegistrySpec(name="a").repository("x/y") == "x/y"
    spec = RegistrySpec(name="a", provider="existing", host="a.test", repository_prefix="team/p")
    assert spec.repository("x/y") == "team/p/x/y"
