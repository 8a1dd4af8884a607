"""Registries of the provider `distribution`: CNCF Distribution in containers of the lab."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import urllib3

from harness.distribution_api import (
    DistributionAPI,
    Endpoint,
    PinnedCertificate,
    TrustedAuthority,
    UnexpectedStatusError,
)
from harness.errors import HarnessError, RegistryError, WaitTimeoutError
from harness.registry import access_log
from harness.registry import distribution_config as config
from harness.registry.accounts import Accounts
from harness.secret import Credentials, new_password
from harness.wait import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine import Container, Engine
    from harness.registry.protocols import Request
    from harness.scenario.model import RegistrySpec
    from harness.secret import KeyPair, Secret

USERNAME: Final = "pullproof"
# What of a registry's folder its container sees.
MOUNTED_FOLDER: Final = "etc"

_DOMAIN: Final = "pullproof.test"

_LOG_TIMEOUT_SECONDS: Final = 10
_ACCOUNTS_TIMEOUT_SECONDS: Final = 5
_SHOWN_LOG_BYTES: Final = 2000


@dataclass(frozen=True)
class RegistryHandle:
    """All that another process on this machine needs to use a registry that it does not own.

    `folder` holds the registry's files. `authority` is the certificate (PEM) of the authority
    that signed the registry's own, `fingerprint` that of the registry's certificate: both are
    empty over plain HTTP. `client_certificate` is None unless clients have to present it.
    """

    spec: RegistrySpec
    container: str
    folder: Path
    credentials: Credentials | None
    authority: bytes = b""
    fingerprint: str = ""
    client_certificate: KeyPair | None = None


class DistributionRegistry:
    """A registry that runs in a container of the lab; whoever started it takes it down."""

    def __init__(self, handle: RegistryHandle, container: Container) -> None:
        self.handle = handle
        self._container = container

    @property
    def spec(self) -> RegistrySpec:
        """What the scenario says of it."""
        return self.handle.spec

    @property
    def host(self) -> str:
        """Host and port as they stand in image references."""
        return f"{registry_names(self.spec)[0]}:{config.PORT}"

    @property
    def undeclared_host(self) -> str:
        """Host and port under a second name, which its certificate names too."""
        return f"{registry_names(self.spec)[1]}:{config.PORT}"

    @property
    def credentials(self) -> Credentials | None:
        """The lab's own account; None where the registry asks for none."""
        return self.handle.credentials

    @property
    def ca(self) -> bytes | None:
        """The certificate (PEM) of the authority that signed it; None over plain HTTP."""
        return self.handle.authority or None

    @property
    def client_certificate(self) -> KeyPair | None:
        """What clients have to present; None where the registry does not ask for it."""
        return self.handle.client_certificate

    @property
    def endpoint(self) -> Endpoint:
        """Where it is now, and whom to trust there.

        A certificate that is wrong on purpose is pinned, so that content can be pushed to a
        registry that nodes must refuse.
        """
        trust: TrustedAuthority | PinnedCertificate | None = None
        if self.spec.tls is not None:
            as_it_should_be = self.spec.tls.certificate == "valid"
            trust = (
                TrustedAuthority(self.handle.authority)
                if as_it_should_be
                else PinnedCertificate(self.handle.fingerprint)
            )
        return Endpoint(self.host, self._container.address, trust, self.client_certificate)

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client that verifies the registry's certificate; ours unless told otherwise."""
        return DistributionAPI(self.endpoint, credentials or self.credentials)

    def collect_logs(self, into: Path) -> None:
        """Write its log to `<name>.log` below `into`."""
        into.mkdir(parents=True, exist_ok=True)
        (into / f"{self.spec.name}.log").write_bytes(self._container.logs())

    def mark(self) -> float:
        """Return a moment (seconds since the epoch) that all requests so far precede."""
        self._settle()
        return time.time()

    def requests_since(self, mark: float) -> tuple[Request, ...]:
        """Return all requests completed between `mark` and this call, none missing."""
        self._settle()
        return access_log.requests(self._log(mark))

    def restart(self) -> None:
        """Restart it on the same storage; healthy when this returns."""
        self._container.restart()
        self.wait_until_healthy()

    def memory_bytes(self) -> int:
        """Return the memory in use now, page cache left out."""
        return self._container.memory_bytes()

    def read_blob(self, digest: str) -> bytes | None:
        """Return a blob's bytes from the storage, None where there is none."""
        return self._container.get_file(config.blob_path(digest))

    def overwrite_blob(self, digest: str, content: bytes) -> None:
        """Replace a blob's bytes in the storage, whatever its digest says."""
        self._container.put_file(config.blob_path(digest), content)

    def metrics(self) -> str:
        """Return its Prometheus metrics in the text format."""
        address = self._container.address
        with urllib3.HTTPConnectionPool(address, config.METRICS_PORT, retries=False) as pool:
            response = pool.request("GET", config.METRICS_PATH)
        return response.data.decode()

    def wait_until_healthy(self, *, timeout_seconds: float = 20) -> None:
        """Wait until it answers.

        Raises RegistryError with the end of its log when it ends or does not answer in time.
        """
        api = self.api()

        def answer() -> str:
            try:
                return str(api.ping().status)
            except RegistryError as error:
                return f"{self._container.status}: {error}"

        try:
            state = wait_until(
                answer,
                ready=lambda state: state == "200" or state.startswith("exited"),
                timeout_seconds=timeout_seconds,
                what=f"{self.host} to answer",
            )
        except WaitTimeoutError as error:
            state = str(error)
        if state != "200":
            end = self._container.logs()[-_SHOWN_LOG_BYTES:].decode("utf-8", "replace")
            raise RegistryError(f"{self.host} is not healthy: {state}\n  end of its log: {end}")

    def _settle(self) -> None:
        """Wait until the log holds all requests that were completed before."""
        # The last byte of a blob leaves just before its line is written, so one request of
        # ours could overtake it; a second one that begins after the first was logged cannot.
        self._send_marker()
        self._send_marker()

    def _send_marker(self) -> None:
        """Send a request of our own and wait until the log shows it."""
        token = secrets.token_hex(8)
        sent = time.time()
        with suppress(UnexpectedStatusError):  # refused or not found, it is in the log
            DistributionAPI(self.endpoint).manifest_exists(access_log.MARKER_REPOSITORY, token)
        wait_until(
            lambda: access_log.holds_marker(self._log(sent), token),
            timeout_seconds=_LOG_TIMEOUT_SECONDS,
            what=f"the log of {self.host} to show our own request",
        )

    def _log(self, since: float) -> str:
        return self._container.logs(since=since).decode("utf-8", "replace")


class DistributionRegistryWithAccounts(DistributionRegistry):
    """A registry whose accounts can be set while it runs."""

    def set_password(self, username: str, password: Secret) -> None:
        """Create the account or replace its password; in force when this returns.

        Raises HarnessError for the lab's own account, which other processes use.
        """
        _require_not_ours(username)
        accounts_of(self.handle.folder).set_password(username, password)
        self._wait_for_status(200, Credentials(username, password))

    def remove_account(self, username: str) -> None:
        """Remove the account; no longer accepted when this returns.

        Raises HarnessError for the lab's own account, which other processes use.
        """
        # With a password that we know, its end can be seen.
        last = Credentials(username, new_password())
        self.set_password(username, last.password)
        accounts_of(self.handle.folder).remove(username)
        self._wait_for_status(401, last)

    def _wait_for_status(self, status: int, credentials: Credentials) -> None:
        api = self.api(credentials)
        wait_until(
            lambda: api.ping().status,
            ready=lambda seen: seen == status,
            timeout_seconds=_ACCOUNTS_TIMEOUT_SECONDS,
            what=f"{self.host} to answer {credentials.username} with {status}",
        )


def attach(handle: RegistryHandle, engine: Engine) -> DistributionRegistry:
    """Return a running registry; nothing is taken down with it.

    Raises RegistryError when its container is gone.
    """
    container = engine.container(handle.container)
    if container is None:
        raise RegistryError(f"container {handle.container} of a registry is gone")
    kind = DistributionRegistryWithAccounts if handle.spec.auth else DistributionRegistry
    return kind(handle, container)


def registry_names(spec: RegistrySpec) -> tuple[str, str]:
    """Return the two DNS names of a registry: the one that nodes may know, and the other."""
    return f"{spec.name}.{_DOMAIN}", f"{spec.name}.undeclared.{_DOMAIN}"


def accounts_of(folder: Path) -> Accounts:
    """Return the accounts of the registry whose files lie in `folder`."""
    return Accounts(folder / MOUNTED_FOLDER / config.ACCOUNTS_FILE, folder / "accounts.lock")


def _require_not_ours(username: str) -> None:
    if username == USERNAME:
        raise HarnessError(
            f"the account {USERNAME} is the lab's own, and all its processes use it",
            remedy="make an account with another name",
        )
