from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.registry import distribution_config as config
from harness.scenario.model import AuthSpec, RegistrySpec, TLSSpec
from harness.secret import Credentials, Secret

if TYPE_CHECKING:
    from typing import Literal

PLAIN = RegistrySpec(name="plain")


UPSTREAM = config.Upstream(
    "https://upstream.test:5000", Credentials("cache", Secret("of-the-cache")), b"an authority"
)


def written(
    spec: RegistrySpec, upstream: config.Upstream | None = None
) -> dict[str, dict[str, object]]:
    document = json.loads(config.configuration(spec, Secret("of-uploads"), upstream))
    assert isinstance(document, dict)
    return document


def test_only_version_3_is_told_to_send_no_traces() -> None:
    newer = RegistrySpec(name="newer", version="3")

    assert config.environment(PLAIN) == {}
    assert config.environment(newer) == {"OTEL_TRACES_EXPORTER": "none"}


def test_plain_registry_has_neither_tls_nor_accounts() -> None:
    document = written(PLAIN)

    assert "auth" not in document
    assert "tls" not in document["http"]
    assert document["http"]["addr"] == ":5000"
    assert document["http"]["secret"] == "of-uploads"


def test_cache_is_told_where_to_fetch_and_as_whom() -> None:
    assert "proxy" not in written(PLAIN)
    assert written(PLAIN, UPSTREAM)["proxy"] == {
        "remoteurl": "https://upstream.test:5000",
        "username": "cache",
        "password": "of-the-cache",
    }
    open_to_all = config.Upstream("http://upstream.test:5000", None, None)
    assert written(PLAIN, open_to_all)["proxy"] == {"remoteurl": "http://upstream.test:5000"}


def test_receivers_are_told_of_manifests_that_were_pushed_or_deleted() -> None:
    url = "http://a.to.b:9000/hooks/replicate"
    text = config.configuration(PLAIN, Secret("of-uploads"), receivers=[url])
    [endpoint] = json.loads(text)["notifications"]["endpoints"]

    assert "notifications" not in written(PLAIN)
    assert (endpoint["name"], endpoint["url"]) == ("a.to.b", url)
    assert endpoint["ignore"]["actions"] == ["pull"]


def test_cache_trusts_the_authority_of_its_upstream_alone() -> None:
    assert config.environment(PLAIN, UPSTREAM) == {
        "SSL_CERT_FILE": "/etc/docker/registry/upstream-authority.pem"
    }
    assert config.environment(PLAIN, None) == {}
    assert config.environment(PLAIN, config.Upstream("http://a.test", None, None)) == {}


def test_content_can_be_deleted() -> None:
    assert written(PLAIN)["storage"]["delete"] == {"enabled": True}


@pytest.mark.parametrize(
    ("version", "folder"), [("2.8", "/etc/docker/registry"), ("3", "/etc/distribution")]
)
def test_files_lie_where_the_version_looks_for_them(
    version: Literal["2.8", "3"], folder: str
) -> None:
    spec = RegistrySpec(name="a", version=version, tls=TLSSpec(), auth=AuthSpec())
    document = written(spec)

    assert config.configuration_folder(spec) == folder
    assert f"{folder}/config.yml" in config.command(spec)[-1]
    assert document["http"]["tls"] == {
        "certificate": f"{folder}/certificate.pem",
        "key": f"{folder}/key.pem",
    }
    assert document["auth"]["htpasswd"] == {"realm": "pullproof", "path": f"{folder}/htpasswd"}


def test_client_certificates_are_asked_for_where_required() -> None:
    document = written(RegistrySpec(name="a", tls=TLSSpec(client_certificate="required")))

    tls = document["http"]["tls"]
    assert isinstance(tls, dict)
    assert tls["clientcas"] == ["/etc/docker/registry/client-authority.pem"]


def test_log_names_users_where_there_are_accounts() -> None:
    assert written(PLAIN)["log"] == {"level": "info", "formatter": "json"}
    with_accounts = written(RegistrySpec(name="a", auth=AuthSpec()))
    assert with_accounts["log"] == {"level": "debug", "formatter": "json"}


def test_blob_lies_below_the_first_digits_of_its_digest() -> None:
    assert (
        config.blob_path("sha256:abcdef")
        == "/var/lib/registry/docker/registry/v2/blobs/sha256/ab/abcdef/data"
    )


def test_blobs_are_remembered_only_where_the_scenario_says_so() -> None:
    remembering = RegistrySpec(name="primary", blob_descriptor_cache="inmemory")

    assert "cache" not in written(PLAIN)["storage"]
    assert written(remembering)["storage"]["cache"] == {"blobdescriptor": "inmemory"}


def test_read_only_mode_changes_nothing_else() -> None:
    usual = config.configuration(PLAIN, Secret("of-uploads"))
    changed = json.loads(config.read_only(usual))

    assert changed["storage"].pop("maintenance") == {"readonly": {"enabled": True}}
    assert changed == json.loads(usual)


def test_collection_reads_the_configuration_of_its_version() -> None:
    assert config.collecting(PLAIN, delete_untagged=False, dry_run=False) == (
        *("registry", "garbage-collect", "/etc/docker/registry/config.yml"),
    )
    careful = config.collecting(
        PLAIN.model_copy(update={"version": "3"}), delete_untagged=True, dry_run=True
    )
    assert careful[2:] == ("--delete-untagged", "--dry-run", "/etc/distribution/config.yml")
