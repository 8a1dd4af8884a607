"""What a registry presents in a handshake, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine import ContainerHandle


@runtime_checkable
class PresentsCertificate(Protocol):
    """Ability of a registry: what it presents in a handshake can be read."""

    def served_certificate(self) -> bytes:
        """Return the certificate (PEM) that it presents now."""
        ...


@dataclass(frozen=True)
class CertificateFiles:
    """Where on this machine a registry's certificate and key lie, and where it presents them."""

    certificate: Path
    key: Path
    port: int


@runtime_checkable
class StoresCertificate(Protocol):
    """Ability of a registry: what it presents stands in files, which its container reads."""

    @property
    def container(self) -> ContainerHandle:
        """The container that reads the files when it starts."""
        ...

    @property
    def certificate_files(self) -> CertificateFiles:
        """The files."""
        ...


@runtime_checkable
class RequiresClientCertificate(Protocol):
    """Ability of a registry: it can be asked without the certificate that it requires."""

    def refusal_without_certificate(self) -> str:
        """Return what a client without a certificate is told, empty when it is served."""
        ...
