"""Kinds of registries that checks ask a scenario for, with the words that name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.scenario.model import RegistrySpec


@dataclass(frozen=True)
class Kind:
    """A kind of registry; `words` completes the sentence "the scenario has no registry ..."."""

    words: str
    matches: Callable[[RegistrySpec], bool]


def certified(certificate: Literal["valid", "expired", "not-yet-valid", "wrong-name"]) -> Kind:
    """Return the kind whose certificate of the private authority is of this validity."""
    return Kind(
        f"with TLS by the private authority and a certificate that is {certificate}",
        lambda spec: (
            spec.tls is not None
            and spec.tls.issuer == "private-ca"
            and spec.tls.certificate == certificate
            and spec.tls.client_certificate == "ignored"
            and spec.declared_on_nodes
        ),
    )


UNKNOWN_CA = Kind(
    "with TLS by another authority",
    lambda spec: spec.tls is not None and spec.tls.issuer == "another-ca",
)
CLIENT_CERTIFICATE = Kind(
    "that requires client certificates",
    lambda spec: spec.tls is not None and spec.tls.client_certificate == "required",
)
PLAIN_HTTP = Kind(
    "with plain HTTP that is declared on nodes",
    lambda spec: spec.tls is None and spec.declared_on_nodes,
)
WITH_ACCOUNTS = Kind("with accounts", lambda spec: spec.auth is not None and spec.mirror_of is None)


def mirror_of(origin: RegistrySpec) -> Kind:
    """Return the kind that mirrors one registry."""
    return Kind(f"that mirrors {origin.name}", lambda spec: spec.mirror_of == origin.name)
