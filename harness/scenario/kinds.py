"""Kinds of registries that checks ask a scenario for, with the words that name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.scenario.model import DOCKER_HUB

if TYPE_CHECKING:
    from harness.scenario.model import RegistrySpec, Scenario


@dataclass(frozen=True)
class Kind:
    """A kind of registry; `words` completes the sentence "the scenario has no registry ..."."""

    words: str
    matches: Callable[[RegistrySpec], bool]


def certified(certificate: Literal["valid", "expired", "not-yet-valid", "wrong-name"]) -> Kind:
    """Return the kind with a certificate of the private authority, valid or flawed in one way."""
    return Kind(
        f"with a certificate of the private authority that is {certificate}",
        lambda spec: (
            (
                spec.tls is not None
                and spec.tls.issuer == "private-ca"
                and spec.tls.certificate == certificate
                and spec.tls.client_certificate == "ignored"
                and spec.declared_on_nodes
            )
            or (spec.ca_file is not None and certificate == "valid")
        ),
    )


UNKNOWN_CA = Kind(
    "with a certificate of an authority that nodes do not know",
    lambda spec: spec.tls is not None and spec.tls.issuer == "another-ca",
)
CLIENT_CERTIFICATE = Kind(
    "that requires client certificates",
    lambda spec: spec.tls is not None and spec.tls.client_certificate == "required",
)
PLAIN_HTTP = Kind(
    "with plain HTTP that nodes are told of",
    lambda spec: not spec.secure and spec.declared_on_nodes,
)
SOUND = Kind(
    "that takes pushes, is declared on nodes and whose certificate, if any, is valid",
    lambda spec: (
        spec.proxy_of is None
        and spec.declared_on_nodes
        and (spec.tls is None or spec.tls.certificate == "valid")
    ),
)
WITH_ACCOUNTS = Kind(
    "with accounts that is no mirror",
    lambda spec: spec.has_accounts and spec.asked_first_for is None,
)
CACHE = Kind("that is a pull-through cache of another one", lambda spec: spec.proxy_of is not None)
IN_CLUSTER = Kind("that is a pod of the cluster", lambda spec: spec.provider == "in-cluster")
REPLICATED = Kind(
    "with several replicas that nodes are told of",
    lambda spec: spec.replicas > 1 and spec.declared_on_nodes,
)
# Distribution 2.8 answers with all tags at once, whatever is asked (registry/handlers/tags.go).
LISTS_IN_PAGES = Kind(
    "that is known to list tags in pages, which Distribution 3 does",
    lambda spec: spec.version == "3" and spec.proxy_of is None,
)
PRIVATE_MIRROR_OF_HUB = Kind(
    "that mirrors docker.io with accounts of its own",
    lambda spec: spec.mirror_of == DOCKER_HUB and spec.has_accounts,
)


def mirrored(scenario: Scenario) -> Kind:
    """Return the kind that other registries mirror."""
    origins = {spec.mirror_of for spec in scenario.registries}
    return Kind("that another one mirrors", lambda spec: spec.name in origins)


def mirror_of(origin: RegistrySpec) -> Kind:
    """Return the kind that mirrors one registry."""
    return Kind(f"that mirrors {origin.name}", lambda spec: spec.mirror_of == origin.name)


def upstream_of(cache: RegistrySpec) -> Kind:
    """Return the kind that a pull-through cache fetches from."""
    return Kind(f"that is the upstream of {cache.name}", lambda spec: spec.name == cache.proxy_of)


def private_mirror_of(origin: RegistrySpec) -> Kind:
    """Return the kind that mirrors one registry and has accounts of its own."""
    return Kind(
        f"that mirrors {origin.name} with accounts of its own",
        lambda spec: spec.mirror_of == origin.name and spec.has_accounts,
    )
