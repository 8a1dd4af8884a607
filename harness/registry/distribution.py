"""Registries of the provider `distribution`: CNCF Distribution in containers of the lab."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import urllib3

from harness.distribution_api import (
    DistributionAPI,
    Endpoint,
    PinnedCertificate,
    TrustedAuthority,
)
from harness.engine import Bind
from harness.engine.sending import limit_sending, sent_bytes
from harness.errors import EngineError, HarnessError, RegistryError
from harness.registry import access_log
from harness.registry import distribution_config as config
from harness.registry import distribution_copies as copies
from harness.registry import distribution_garbage as garbage
from harness.registry.accounts import Accounts
from harness.registry.answering import wait_for_answer
from harness.registry.distribution_log import read_from, settle
from harness.registry.protocols import CertificateFiles
from harness.registry.stand_in import answering
from harness.trust import served_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http import HTTPStatus
    from pathlib import Path

    from harness.engine import Container, ContainerHandle, ContainerSpec, Engine
    from harness.registry.protocols import Backup, Collection, Registry, Request, StandIn, Storage
    from harness.scenario.model import RegistrySpec
    from harness.secret import Credentials, KeyPair, Secret

USERNAME: Final = "pullproof"
# What of a registry's folder its container sees: to read, and to write.
CONFIGURATION_FOLDER: Final = "etc"
LOG_FOLDER: Final = "log"

_DOMAIN: Final = "pullproof.test"

_COLLECTION_TIMEOUT_SECONDS: Final = 600


@dataclass(frozen=True)
class RegistryHandle:
    """All that another process on this machine needs to use a registry that it does not own.

    `folder` holds the registry's files. `authority` is the certificate (PEM) of the authority
    that signed the registry's own, `fingerprint` that of the registry's certificate: both are
    empty over plain HTTP. `client_certificate` is None unless clients have to present it.
    `replicas` are the containers of a registry that has several, `container` the first of them,
    and `load_balancer` the container before them, which has the registry's name. `stand_in` is
    what can be started in the place of an upstream.
    """

    spec: RegistrySpec
    container: str
    folder: Path
    credentials: Credentials | None
    authority: bytes = b""
    fingerprint: str = ""
    client_certificate: KeyPair | None = None
    replicas: tuple[str, ...] = ()
    load_balancer: str = ""
    stand_in: ContainerSpec | None = None

    @property
    def configuration_folder(self) -> Path:
        """The folder of this machine that its containers read."""
        return self.folder / CONFIGURATION_FOLDER

    @property
    def binds(self) -> tuple[Bind, ...]:
        """What its containers see of its folder."""
        return (
            Bind(self.configuration_folder, config.configuration_folder(self.spec)),
            Bind(self.folder / LOG_FOLDER, config.LOG_FOLDER, read_only=False),
        )


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
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        return self._container.known_as(self.spec.name)

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
        return Endpoint(self.host, self._front.address, trust, self.client_certificate)

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client that verifies the registry's certificate; ours unless told otherwise."""
        return DistributionAPI(self.endpoint, credentials or self.credentials)

    def collect_logs(self, into: Path) -> None:
        """Write its log to `<name>.log` below `into`."""
        into.mkdir(parents=True, exist_ok=True)
        (into / f"{self.spec.name}.log").write_bytes(self._log())

    def mark(self) -> float:
        """Return the length of the log (bytes) with all requests so far in it."""
        self.settle_log()
        return self._log_file.stat().st_size

    def requests_since(self, mark: float) -> tuple[Request, ...]:
        """Return all requests completed between `mark` and this call, none missing."""
        self.settle_log()
        return access_log.requests(self._log(int(mark)).decode("utf-8", "replace"))

    def restart(self) -> None:
        """Restart it on the same storage; healthy when this returns."""
        self._container.restart()
        self.wait_until_healthy()

    def stand_in(self, status: HTTPStatus) -> StandIn:
        """Return a server that refuses every request under the registry's names.

        Raises HarnessError for a registry that is nobody's upstream.
        """
        standing_in = self.handle.stand_in
        if standing_in is None:
            raise HarnessError(f"{self.host} is no upstream, so nothing can stand in for it")
        return answering(standing_in, self.handle.folder, status)

    def sent_bytes(self) -> int:
        """Return how much it has sent to anybody since it started, headers included."""
        return sent_bytes(self._container)

    def configuration(self) -> str:
        """Return the text of its configuration file, which holds secrets."""
        return (self.handle.folder / CONFIGURATION_FOLDER / config.CONFIGURATION_FILE).read_text()

    def memory_bytes(self) -> int:
        """Return the memory that it holds now, page cache left out."""
        return self._container.memory_bytes()

    @contextmanager
    def writes_stopped(self) -> Iterator[None]:
        """Serve pulls and refuse everything else until the block ends; healthy at both ends.

        Read-only mode is a matter of configuration, so that it takes a restart each time.
        """
        file = self.handle.configuration_folder / config.CONFIGURATION_FILE
        usual = file.read_text()
        try:
            file.write_text(config.read_only(usual))
            self.restart()
            yield
        finally:
            file.write_text(usual)
            self.restart()

    def collect_garbage(
        self, *, delete_untagged: bool = False, dry_run: bool = False
    ) -> Collection:
        """Collect garbage now; safe only while writes are stopped.

        https://distribution.github.io/distribution/about/garbage-collection/
        """
        command = config.collecting(self.spec, delete_untagged=delete_untagged, dry_run=dry_run)
        return garbage.collection(
            self._container.execute(command, timeout_seconds=_COLLECTION_TIMEOUT_SECONDS)
        )

    def stored(self) -> Storage:
        """Return what the storage holds now. Raises RegistryError where it cannot be listed."""
        listed = self._container.execute(["ls", "-lnRA", config.STORAGE_FOLDER])
        if listed.status:
            raise RegistryError(f"the storage of {self.host} cannot be listed: {listed.stderr}")
        return garbage.storage(listed.text)

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used since it was started."""
        return self._container.cpu_seconds()

    def open_files(self) -> int:
        """Return how many file descriptors it holds now, connections among them."""
        return len(self._container.execute(["ls", config.OPEN_FILES_FOLDER]).text.split())

    @property
    def storage_folder(self) -> str:
        """The folder in which its containers see its storage."""
        return config.STORAGE_FOLDER

    @contextmanager
    def twin(self) -> Iterator[Registry]:
        """Run a registry with the same configuration and accounts on an empty storage."""
        with copies.running(self.handle, self._container) as (handle, container):
            twin = _attached(handle, container)
            twin.wait_until_healthy()
            yield twin

    @contextmanager
    def backed_up(self) -> Iterator[Backup]:
        """Copy configuration and storage while it runs; the copies go at the end of the block."""
        with copies.saved(self.handle, self._container) as backup:
            yield backup

    @contextmanager
    def restored(self, backup: Backup) -> Iterator[Registry]:
        """Run another registry from a copy, in the place of this one until the block ends.

        Raises RegistryError when it does not answer anything.
        """
        self._front.stop()
        try:
            with copies.running(
                self.handle, self._container, backup, aliases=registry_names(self.spec)
            ) as (handle, container):
                restored = _attached(handle, container)
                restored.wait_until_answering(str.isdigit)
                yield restored
        finally:
            self._front.start()
            self.wait_until_healthy()

    def read_blob(self, digest: str) -> bytes | None:
        """Return a blob's bytes from the storage, None where there is none."""
        return self._container.get_file(config.blob_path(digest))

    def overwrite_blob(self, digest: str, content: bytes) -> None:
        """Replace a blob's bytes in the storage, whatever its digest says."""
        self._container.put_file(config.blob_path(digest), content)

    @property
    def certificate_files(self) -> CertificateFiles:
        """The files that its container reads its certificate and key from."""
        folder = self.handle.folder / CONFIGURATION_FOLDER
        return CertificateFiles(
            folder / config.CERTIFICATE_FILE, folder / config.KEY_FILE, config.PORT
        )

    def served_certificate(self) -> bytes:
        """Return the certificate (PEM) that it presents now. HarnessError over plain HTTP."""
        endpoint = self.endpoint
        return served_certificate(endpoint.address, endpoint.port, server_name=endpoint.name)

    def refusal_without_certificate(self) -> str:
        """Return what a client without a certificate is told, empty when it is served."""
        try:
            DistributionAPI(replace(self.endpoint, client_certificate=None)).ping()
        except RegistryError as error:
            return error.problem
        return ""

    def metrics(self) -> str:
        """Return its Prometheus metrics in the text format."""
        address = self._container.address
        with urllib3.HTTPConnectionPool(address, config.METRICS_PORT, retries=False) as pool:
            response = pool.request("GET", config.METRICS_PATH)
        return response.data.decode()

    def wait_until_healthy(self, *, timeout_seconds: float = 20) -> None:
        """Wait until it answers us; put its link's limit in force, which ends with each stop.

        Raises as `wait_until_answering`.
        """
        self.wait_until_answering("200".__eq__, timeout_seconds=timeout_seconds)
        if (link := self.spec.link) is not None:
            limit_sending(self._container, link.rate_mbit, delay_ms=link.delay_ms)

    def wait_until_answering(
        self, healthy: Callable[[str], bool], *, timeout_seconds: float = 20
    ) -> None:
        """Wait until it answers us with a status that is healthy.

        Raises RegistryError with the end of its log when it ends or does not answer in time.
        """

        def state() -> str:
            try:
                return str(self.api().ping().status)
            except (RegistryError, EngineError) as error:  # no address when it has ended
                return f"{self._container.status}: {error}"

        wait_for_answer(
            state,
            healthy=healthy,
            timeout_seconds=timeout_seconds,
            host=self.host,
            log=lambda: self._container.logs() + self._log(),
        )

    @property
    def _front(self) -> Container:
        """The container that has its name."""
        return self._container

    def settle_log(self) -> None:
        """Wait until the log holds all requests that were completed before."""
        since = partial(self._log, self._log_file.stat().st_size)
        settle(DistributionAPI(self.endpoint), self.host, since)

    @property
    def _log_file(self) -> Path:
        return self.handle.folder / LOG_FOLDER / config.LOG_FILE

    def _log(self, begin: int = 0) -> bytes:
        return read_from(self._log_file, begin)


class DistributionRegistryWithAccounts(DistributionRegistry):
    """A registry whose accounts can be set while it runs."""

    def set_password(self, username: str, password: Secret) -> None:
        """Create the account or replace its password; in force for the next request.

        Distribution looks at the file's time at each request (`registry/auth/htpasswd`).
        Raises HarnessError for the lab's own account, which other processes use.
        """
        require_not_ours(username)
        accounts_of(self.handle.folder).set_password(username, password)

    def remove_account(self, username: str) -> None:
        """Remove the account; no longer accepted by the next request.

        Raises HarnessError for the lab's own account, which other processes use.
        """
        require_not_ours(username)
        accounts_of(self.handle.folder).remove(username)


def attach(handle: RegistryHandle, engine: Engine) -> DistributionRegistry:
    """Return a running registry; nothing is taken down with it.

    Raises EngineError when its container is gone.
    """
    return _attached(handle, engine.required(handle.container))


def _attached(handle: RegistryHandle, container: Container) -> DistributionRegistry:
    kind = DistributionRegistryWithAccounts if handle.spec.auth else DistributionRegistry
    return kind(handle, container)


def registry_names(spec: RegistrySpec) -> tuple[str, str]:
    """Return the two DNS names of a registry: the one that nodes may know, and the other."""
    return f"{spec.name}.{_DOMAIN}", f"{spec.name}.undeclared.{_DOMAIN}"


def metrics_target(spec: RegistrySpec) -> str:
    """Return the host and port where a registry's metrics are scraped, over plain HTTP."""
    return f"{registry_names(spec)[0]}:{config.METRICS_PORT}"


def accounts_of(folder: Path) -> Accounts:
    """Return the accounts of the registry whose files lie in `folder`."""
    return Accounts(folder / CONFIGURATION_FOLDER / config.ACCOUNTS_FILE, folder / "accounts.lock")


def require_not_ours(username: str) -> None:
    """Raise HarnessError for the account that the lab itself uses."""
    if username == USERNAME:
        raise HarnessError(
            f"the account {USERNAME} is the lab's own, and all its processes use it",
            remedy="make an account with another name",
        )
