"""Signs images with cosign and notation, by keys of a workspace, and verifies signatures.

Nothing asks a public service: keys are made here, and no transparency log is written or read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from harness.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.clients import Workspace
    from harness.command import Completed

_PASSWORD_FILE: Final = "password"  # noqa: S105 - a file's name
_AUTHORITY: Final = "pullproof.test"
_POLICY: Final = {
    "version": "1.0",
    "trustPolicies": [
        {
            "name": "all",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": [f"ca:{_AUTHORITY}"],
            "trustedIdentities": ["*"],
        }
    ],
}


class Signer(Protocol):
    """A program with a key of its own."""

    @property
    def name(self) -> str:
        """The program's name."""
        ...

    def sign(self, reference: str) -> None:
        """Sign an image, named by digest, in its registry. Raises CommandError."""
        ...

    def verify(self, reference: str) -> Completed:
        """Verify an image by this key; the status is 0 where it is signed with it."""
        ...


@dataclass(frozen=True)
class Cosign:
    """cosign with a pair of keys.

    The signature lies under a tag made of the digest; as a `bundle`, which is what cosign makes
    since version 3, it is a manifest that refers to the image.
    """

    workspace: Workspace
    bundle: bool = False

    @property
    def name(self) -> str:
        """The program's name, and what it makes."""
        return "cosign with bundles" if self.bundle else "cosign"

    def sign(self, reference: str) -> None:
        """Sign an image, named by digest, in its registry. Raises CommandError."""
        offline = ("--use-signing-config=false", "--tlog-upload=false")
        key = ("--key", "cosign.key", self._format)
        _succeed(
            self.workspace, ["cosign", "sign", *offline, *key, reference], input_file=_PASSWORD_FILE
        )

    def verify(self, reference: str) -> Completed:
        """Verify an image by this key; the status is 0 where it is signed with it."""
        key = ("--key", "cosign.pub", self._format, "--insecure-ignore-tlog")
        return self.workspace.run(["cosign", "verify", *key, reference])

    @property
    def _format(self) -> str:
        return f"--new-bundle-format={str(self.bundle).lower()}"


@dataclass(frozen=True)
class Notation:
    """notation with a certificate; the signature is a manifest that refers to the image."""

    workspace: Workspace
    name: str = "notation"

    def sign(self, reference: str) -> None:
        """Sign an image, named by digest, in its registry. Raises CommandError."""
        _succeed(self.workspace, ["notation", "sign", reference])

    def verify(self, reference: str) -> Completed:
        """Verify an image by this key; the status is 0 where it is signed with it."""
        return self.workspace.run(["notation", "verify", reference])


def signers(workspace: Workspace, password: bytes) -> tuple[Signer, ...]:
    """Make keys in a workspace and return the programs that sign with them.

    `password` protects cosign's. Raises CommandError when one of the programs refuses.
    """
    workspace.write(_PASSWORD_FILE, password)
    _succeed(workspace, ["cosign", "generate-key-pair"], input_file=_PASSWORD_FILE)
    _succeed(workspace, ["notation", "cert", "generate-test", "--default", _AUTHORITY])
    workspace.write("policy.json", json.dumps(_POLICY).encode())
    _succeed(workspace, ["notation", "policy", "import", "policy.json"])
    return Cosign(workspace), Cosign(workspace, bundle=True), Notation(workspace)


def _succeed(workspace: Workspace, arguments: Sequence[str], *, input_file: str = "") -> None:
    done = workspace.run(arguments, input_file=input_file)
    if done.status:
        raise CommandError(f"{' '.join(arguments)} ended with {done.status}: {done.stderr}")
