"""What programs in a container must know of registries: accounts, and whom to trust."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from harness.engine import Bind
from harness.keyring import dockerconfigjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.secret import Credentials

_FOLDER: Final = "/root/.docker"
_FILE: Final = "config.json"
# Where programs written in Go look first (`crypto/x509/root_linux.go`).
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"

# Where the accounts are; skopeo has a variable of its own (containers-auth.json(5)).
ENVIRONMENT: Final = {"DOCKER_CONFIG": _FOLDER, "REGISTRY_AUTH_FILE": f"{_FOLDER}/{_FILE}"}


def client_files(
    folder: Path, accounts: Mapping[str, Credentials], authorities: Iterable[bytes]
) -> tuple[Bind, ...]:
    """Write accounts and authorities below a folder that is made; return what to mount.

    `accounts` are by the host of references. They are in a Docker configuration file, so that
    no password is an argument; `authorities` (PEM) are all that is trusted.
    """
    mounted = folder / "docker"
    mounted.mkdir(mode=0o700, parents=True)
    write_private(mounted / _FILE, dockerconfigjson(accounts).reveal().encode())
    bundle = folder / "authorities.pem"
    write_private(bundle, b"".join(authorities))
    return Bind(mounted, _FOLDER), Bind(bundle, _AUTHORITIES)


def write_private(file: Path, content: bytes) -> None:
    """Write a file that at no moment anybody but its owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as private:
        private.write(content)
