"""Certificates that a registry should not present, in place of its own.

Distribution reads its certificate when it starts, so it is started again for each change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.engine.attaching import attached
from harness.errors import EngineError, HarnessError
from harness.secret import KeyPair, Secret
from harness.trust import Authority, certificate_facts, served_certificate
from harness.wait import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine import Container, ContainerHandle
    from harness.registry.protocols import CertificateFiles, StoresCertificate
    from harness.trust import Validity

_RESTART_SECONDS: Final = 10
_ANSWER_SECONDS: Final = 20


@dataclass(frozen=True)
class CertificateReplaced:
    """A registry presents another certificate than its own.

    `flaw` tells in words that follow the subject what is wrong with the other one.
    """

    container: ContainerHandle
    files: CertificateFiles
    right: KeyPair
    wrong: KeyPair
    flaw: str

    @property
    def name(self) -> str:
        """What is wrong."""
        return self.flaw

    @property
    def subject(self) -> str:
        """The registry's container."""
        return self.container.name

    def inject(self) -> None:
        """Start the registry with the wrong one; it presents that when this returns."""
        with attached(self.container, os.environ) as container:
            if container is None:
                raise EngineError(f"container {self.subject} is gone")
            self._present(self.wrong, container)

    def heal(self) -> None:
        """Start the registry with its own, if it presents or would present the wrong one.

        Another fault's is left alone: one may follow the other without a moment in between in
        which clients are served.
        """
        with attached(self.container, os.environ) as container:
            if container is None or not self.files.certificate.exists():
                return
            stored = self.files.certificate.read_bytes()
            if stored == self.wrong.certificate_pem or self._presents(self.wrong, container):
                self._present(self.right, container)

    def is_active(self) -> bool:
        """Whether the registry presents the wrong one."""
        with attached(self.container, os.environ) as container:
            return container is not None and self._presents(self.wrong, container)

    def _present(self, pair: KeyPair, container: Container) -> None:
        _write(self.files.certificate, pair.certificate_pem)
        _write(self.files.key, pair.key_pem.reveal().encode())
        container.restart(timeout_seconds=_RESTART_SECONDS)
        wait_until(
            lambda: self._presents(pair, container),
            timeout_seconds=_ANSWER_SECONDS,
            what=f"{self.subject} to present the other certificate",
        )

    def _presents(self, pair: KeyPair, container: Container) -> bool:
        """Whether that certificate is presented now; not by a registry that does not answer."""
        try:
            pem = served_certificate(container.address, self.files.port, server_name=self.subject)
        except HarnessError:
            return False
        return certificate_facts(pem) == certificate_facts(pair.certificate_pem)


def foreign_certificate(registry: StoresCertificate) -> CertificateReplaced:
    """Return the fault of presenting the right names, signed by an authority that nobody knows."""
    return _replaced(registry, "valid", "presenting a certificate of an unknown authority")


def expired_certificate(registry: StoresCertificate) -> CertificateReplaced:
    """Return the fault of presenting the right names in a certificate that ended an hour ago.

    No authority of the lab is there any more to sign it: one that nobody knows does. Clients
    look at the time first.
    """
    return _replaced(registry, "expired", "presenting an expired certificate")


def _replaced(registry: StoresCertificate, validity: Validity, flaw: str) -> CertificateReplaced:
    files = registry.certificate_files
    right = KeyPair(files.certificate.read_bytes(), Secret(files.key.read_text()))
    names = certificate_facts(right.certificate_pem).names
    wrong = Authority.create("unknown").issue(*names, validity=validity)
    return CertificateReplaced(registry.container, files, right, wrong, flaw)


def _write(file: Path, content: bytes) -> None:
    """Replace a file of ours, for our eyes only."""
    draft = file.with_name(f".{file.name}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(file)
