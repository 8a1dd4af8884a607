"""Certificates that registries of CNCF Distribution present and ask for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from harness import oci
from harness.distribution_api import DistributionAPI, Endpoint, TrustedAuthority
from harness.errors import RegistryError
from harness.trust import Authority, certificate_facts
from tests.integration.distribution.stage import SPECS, Stage

if TYPE_CHECKING:
    from harness.registry.distribution import DistributionRegistry


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown-ca", "unable to get local issuer"),
        ("expired", "certificate has expired"),
        ("not-yet-valid", "not yet valid"),
        ("wrong-name", "Hostname mismatch"),
    ],
)
def test_wrong_certificate_is_refused_by_those_who_verify(
    stage: Stage, registries: dict[str, DistributionRegistry], name: str, reason: str
) -> None:
    registry = registries[name]
    trust = TrustedAuthority(stage.authorities["private-ca"].certificate_pem)
    verifying = dataclasses.replace(registry.endpoint, trust=trust)

    with pytest.raises(RegistryError, match=reason):
        DistributionAPI(verifying).ping()


@pytest.mark.parametrize("name", [spec.name for spec in SPECS])
def test_content_can_be_pushed_whatever_the_certificate(
    registries: dict[str, DistributionRegistry], repository: str, name: str
) -> None:
    registry = registries[name]
    image = oci.image()

    registry.api().push(image, repository, "v1")

    assert registry.api().manifest(repository, "v1").digest == image.digest


@pytest.mark.parametrize("name", [spec.name for spec in SPECS if spec.tls])
def test_served_certificate_is_the_issued_one(
    registries: dict[str, DistributionRegistry], name: str
) -> None:
    registry = registries[name]

    served = registry.served_certificate()

    assert registry.ca is not None
    assert certificate_facts(served).fingerprint == registry.handle.fingerprint
    assert certificate_facts(served).issuer == certificate_facts(registry.ca).subject


def test_client_without_certificate_is_refused(registries: dict[str, DistributionRegistry]) -> None:
    registry = registries["client-certificate"]

    assert "certificate required" in registry.refusal_without_certificate()
    assert registries["expired"].refusal_without_certificate() == ""
    stranger = Authority.create("stranger").issue("client.test")
    unknown = dataclasses.replace(registry.endpoint, client_certificate=stranger)
    with pytest.raises(RegistryError, match="GET https"):
        DistributionAPI(unknown).ping()


def test_certificate_is_valid_for_the_undeclared_name_too(primary: DistributionRegistry) -> None:
    known = primary.endpoint
    other = Endpoint(primary.undeclared_host, known.address, known.trust)

    assert DistributionAPI(other, primary.credentials).ping().status == 200
