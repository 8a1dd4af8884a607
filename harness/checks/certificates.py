"""Judges what registries present in their handshakes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from harness.trust import CertificateFacts


def has_days_left(
    host: str, served: CertificateFacts, *, minimum: int, now: datetime | None = None
) -> tuple[Finding, ...]:
    """Find a certificate that ends within `minimum` days, or has ended."""
    left = (served.not_after - (now or datetime.now(UTC))).days
    if left >= minimum:
        return ()
    return (
        Finding(
            Code.CERTIFICATE,
            host,
            f"its certificate ends on {served.not_after:%Y-%m-%d %H:%M} UTC, {left} days from now",
            f"renew it; at least {minimum} days should be left",
        ),
    )


def authority_signs(
    node: str, host: str, authority_pem: bytes | None, served_pem: bytes
) -> tuple[Finding, ...]:
    """Find a node whose authority for a host is missing or did not sign what the host serves."""
    remedy = "give the node the authority that signs now, beside the old one during a change"
    if authority_pem is None:
        return (Finding(Code.CERTIFICATE, node, f"it holds no authority for {host}", remedy),)
    served = x509.load_pem_x509_certificate(served_pem)
    if any(_signed(served, held) for held in x509.load_pem_x509_certificates(authority_pem)):
        return ()
    evidence = (
        f"the authority that it holds for {host} did not sign the certificate served there, "
        f"whose issuer is {served.issuer.rfc4514_string()}"
    )
    return (Finding(Code.CERTIFICATE, node, evidence, remedy),)


def refuses_anonymous_clients(host: str, refusal: str) -> tuple[Finding, ...]:
    """Find a registry that should ask for client certificates and serves whoever has none.

    `refusal` is what a client without a certificate was told, empty when it was served.
    """
    if refusal:
        return ()
    return (
        Finding(
            Code.PULL_ACCEPTED,
            host,
            "it served a client that presented no certificate",
            "require client certificates in its TLS configuration",
        ),
    )


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
