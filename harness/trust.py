"""Certificate authorities of the lab, and what certificates say."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.errors import HarnessError
from harness.secret import KeyPair, Secret

Validity = Literal["valid", "expired", "not-yet-valid"]

# When a certificate begins and ends, counted from now.
_PERIODS: dict[Validity, tuple[timedelta, timedelta]] = {
    "valid": (timedelta(hours=-1), timedelta(days=90)),
    "expired": (timedelta(days=-90), timedelta(hours=-1)),
    "not-yet-valid": (timedelta(days=1), timedelta(days=90)),
}


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its key, which never leaves this process."""

    certificate_pem: bytes = field(repr=False)
    _authority: trustme.CA = field(repr=False, compare=False)

    @classmethod
    def create(cls, name: str) -> Authority:
        """Make an authority with a fresh elliptic-curve key; `name` stands in its subject."""
        authority = trustme.CA(organization_name="pullproof", organization_unit_name=name)
        return cls(authority.cert_pem.bytes(), authority)

    def issue(self, *names: str, validity: Validity = "valid") -> KeyPair:
        """Issue a certificate for servers and clients alike.

        `names` are DNS names or IP addresses, the first also the subject's common name.
        `expired` ended an hour ago, `not-yet-valid` begins tomorrow.
        """
        now = datetime.now(UTC)
        begins, ends = _PERIODS[validity]
        issued = self._authority.issue_cert(
            *names,
            common_name=names[0],
            organization_name="pullproof",
            not_before=now + begins,
            not_after=now + ends,
        )
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        return KeyPair(chain, Secret(issued.private_key_pem.bytes().decode()))


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says of itself; `names` are its DNS names and IP addresses.

    `fingerprint` is the SHA-256 of its DER form in lower-case hexadecimal.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str


def certificate_facts(pem: bytes) -> CertificateFacts:
    """Read the first certificate of a PEM text. Raises HarnessError when there is none."""
    try:
        certificate = x509.load_pem_x509_certificates(pem)[0]
    except ValueError as error:
        raise HarnessError(
            "the text holds no certificate", remedy="give a file in PEM form"
        ) from error
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=_names(certificate.extensions),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
    )


def served_certificate(
    address: str, port: int, *, server_name: str, timeout_seconds: float = 5
) -> bytes:
    """Return the certificate (PEM) that a server presents, whether or not it deserves trust.

    A real handshake with `server_name` in it; nothing is sent over the connection.
    Raises HarnessError when no handshake takes place.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # What is wrong with a certificate can be told only after it has been accepted.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=timeout_seconds) as connection,
            context.wrap_socket(connection, server_hostname=server_name) as secured,
        ):
            # None only with suites that know no certificates; Python offers none of them.
            presented = secured.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise HarnessError(
            f"no TLS handshake with {server_name} at {address}:{port}: {error}",
            remedy="make sure that the server is up and speaks TLS on this port",
        ) from error
    return ssl.DER_cert_to_PEM_cert(presented).encode()


def _names(extensions: x509.Extensions) -> tuple[str, ...]:
    try:
        found = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    )
