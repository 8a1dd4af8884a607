"""What a registry can do, apart by ability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from http import HTTPStatus
    from pathlib import Path

    from harness.distribution_api import DistributionAPI, Endpoint
    from harness.engine import ContainerHandle, ContainerSpec
    from harness.scenario.model import RegistrySpec, RegistryVersion
    from harness.secret import Credentials, Secret


@dataclass(frozen=True)
class Request:
    """One request as the registry's own access log tells it.

    `namespace` is the value of the `ns` query parameter that containerd adds for mirrors;
    `user` is the authenticated user, empty for none; `response_bytes` is the body's size.
    """

    client: str
    method: str
    path: str
    namespace: str
    status: int
    response_bytes: int
    user: str
    user_agent: str


@dataclass(frozen=True)
class Session:
    """One connection as a load balancer's log tells it.

    `server` is the name of the replica, empty where none took it. `redispatched` tells that it
    took it in place of one that did not answer, of which the client noticed nothing.
    """

    client: str
    server: str
    redispatched: bool


@runtime_checkable
class Registry(Protocol):
    """A registry that speaks the OCI distribution protocol."""

    @property
    def spec(self) -> RegistrySpec:
        """What the scenario says of it."""
        ...

    @property
    def host(self) -> str:
        """Host and port as they stand in image references."""
        ...

    @property
    def credentials(self) -> Credentials | None:
        """Credentials that may pull and push; None where the registry asks for none."""
        ...

    @property
    def ca(self) -> bytes | None:
        """The certificate (PEM) of the authority that signed it; None over plain HTTP."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """Where this machine reaches it now, and whom to trust there."""
        ...

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client that verifies the registry's certificate; ours unless told otherwise."""
        ...

    def collect_logs(self, into: Path) -> None:
        """Write what the registry logged to files below `into`."""
        ...


@runtime_checkable
class KeepsAccessLog(Protocol):
    """Ability of a registry: it tells which requests it has served."""

    def mark(self) -> float:
        """Return a position in the log: everything served from now on comes after it."""
        ...

    def requests_since(self, mark: float) -> tuple[Request, ...]:
        """Return all requests completed between `mark` and this call, none missing.

        A request of our own with a unique path is sent and waited for in the log, so that
        what was completed before this call is certain to be in the answer.
        """
        ...


@runtime_checkable
class HasUndeclaredName(Protocol):
    """Ability of a registry: it answers to a second name that no node is configured for.

    Its certificate is valid for that name too, so only the configuration tells the two apart:
    the control that proves where a node's trust comes from.
    """

    @property
    def undeclared_host(self) -> str:
        """Host and port under the second name."""
        ...


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


@runtime_checkable
class ChangesCredentials(Protocol):
    """Ability of a registry: accounts can be set while it runs."""

    def set_password(self, username: str, password: Secret) -> None:
        """Create the account or replace its password; in force for the next request."""
        ...

    def remove_account(self, username: str) -> None:
        """Remove the account; no longer accepted by the next request."""
        ...


@runtime_checkable
class Restarts(Protocol):
    """Ability of a registry: it can be stopped and started on the same storage."""

    def restart(self) -> None:
        """Restart it; healthy when this returns."""
        ...

    def wait_until_healthy(self, *, timeout_seconds: float = 20) -> None:
        """Wait until it answers after a start, as the scenario wants it: with its link's limit.

        Raises RegistryError when it does not answer in time.
        """
        ...


@dataclass(frozen=True)
class StandIn:
    """A server that can be started in a registry's place, and the port at which it answers."""

    container: ContainerSpec
    port: int


@runtime_checkable
class HasStandIn(Protocol):
    """Ability of a registry: another server can take its place and its names for a while."""

    def stand_in(self, status: HTTPStatus) -> StandIn:
        """Return a server, not started yet, that answers every request with an HTTP status."""
        ...


@runtime_checkable
class CountsBytes(Protocol):
    """Ability of a registry: the bytes on its link can be counted."""

    def sent_bytes(self) -> int:
        """Return how much it has sent to anybody since it started, headers included."""
        ...


@runtime_checkable
class ReportsUsage(Protocol):
    """Ability of a registry: what it takes from its machine can be read."""

    def memory_bytes(self) -> int:
        """Return the memory that it holds now, page cache left out."""
        ...

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used since it was started."""
        ...

    def open_files(self) -> int:
        """Return how many file descriptors it holds now, connections among them."""
        ...


@dataclass(frozen=True)
class Collection:
    """A garbage collection as it tells of itself.

    `blobs` are the digests that it deleted, or would have deleted in a dry run; manifests are
    blobs too. `failure` is empty where it ended well.
    """

    blobs: frozenset[str]
    failure: str


@dataclass(frozen=True)
class Storage:
    """What a registry's storage holds, whatever the registry says of it; sizes in bytes.

    `blobs` maps digests to sizes, manifests are among them; `manifests` are repositories with
    the digests of the manifests that they hold, tagged or not; `uploads` maps uploads that
    nobody has finished, `repository/id`, to what they have sent so far.
    """

    blobs: Mapping[str, int]
    manifests: frozenset[tuple[str, str]]
    uploads: Mapping[str, int]


@dataclass(frozen=True)
class Backup:
    """A copy of a registry's configuration and storage, in a folder that only we may read.

    `storage` is a tar file. `started` is the monotonic clock's before the first byte was read,
    `duration_seconds` what it took to copy both.
    """

    configuration: Path
    storage: Path
    started: float
    duration_seconds: float


@runtime_checkable
class HasTwin(Protocol):
    """Ability of a registry: another one like it can be had, to try what may do harm."""

    def twin(self) -> AbstractContextManager[Registry]:
        """Run a registry with the same configuration and accounts on an empty storage.

        It is gone with all that it holds when the block ends; nodes do not find it.
        """
        ...


@runtime_checkable
class BacksUp(Protocol):
    """Ability of a registry: it can be copied while it runs, and restored from the copy."""

    def backed_up(self) -> AbstractContextManager[Backup]:
        """Copy configuration and storage while it runs; the copies go when the block ends."""
        ...

    def restored(self, backup: Backup) -> AbstractContextManager[Registry]:
        """Run another registry from a copy, in the place of this one until the block ends.

        Nodes reach the other one under the name of this one, which serves again at the end.
        Raises RegistryError when the other one does not answer anything.
        """
        ...


@runtime_checkable
class CollectsGarbage(Protocol):
    """Ability of a registry: blobs that no manifest names can be removed."""

    def writes_stopped(self) -> AbstractContextManager[None]:
        """Serve pulls and refuse everything else until the block ends; healthy at both ends."""
        ...

    def collect_garbage(
        self, *, delete_untagged: bool = False, dry_run: bool = False
    ) -> Collection:
        """Collect garbage now; safe only while writes are stopped.

        `delete_untagged` also takes manifests without a tag, `dry_run` removes nothing.
        """
        ...


@runtime_checkable
class ListsStorage(Protocol):
    """Ability of a registry: what its storage holds can be listed without asking it."""

    def stored(self) -> Storage:
        """Return what the storage holds now."""
        ...


@runtime_checkable
class ExposesStorage(Protocol):
    """Ability of a registry: its stored files can be read and written behind its back."""

    @property
    def storage_folder(self) -> str:
        """The folder in which its containers see its storage."""
        ...

    def read_blob(self, digest: str) -> bytes | None:
        """Return a blob's bytes from the storage, None where there is none."""
        ...

    def overwrite_blob(self, digest: str, content: bytes) -> None:
        """Replace a blob's bytes in the storage, whatever its digest says."""
        ...


class Server(Protocol):
    """One server of a registry; `name` is its own in reports."""

    name: str

    @property
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        ...

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client of this server alone, which verifies the registry's name."""
        ...


class Balancer(Protocol):
    """What stands before the servers of a registry; `name` is its own in reports."""

    name: str

    @property
    def container(self) -> ContainerHandle:
        """The container that it runs in."""
        ...

    @property
    def address(self) -> str:
        """The address behind the registry's name, under which its servers see all clients."""
        ...

    def in_service(self) -> tuple[str, ...]:
        """Return the names of the servers to which it sends connections now.

        Raises RegistryError when it does not answer.
        """
        ...

    def sessions_since(self, moment: float) -> tuple[Session, ...]:
        """Return the connections that ended since a moment, in seconds since the epoch."""
        ...


@runtime_checkable
class HasReplicas(Protocol):
    """Ability of a registry: several servers on one storage answer for it."""

    @property
    def replicas(self) -> tuple[Server, ...]:
        """All of them, each to be asked alone."""
        ...


@runtime_checkable
class HasLoadBalancer(Protocol):
    """Ability of a registry: what stands before its servers can be asked and broken."""

    @property
    def load_balancer(self) -> Balancer:
        """The load balancer, which has the registry's name."""
        ...


@dataclass(frozen=True)
class PlacedPod:
    """A pod and the node on which it runs, both by the names that Kubernetes knows."""

    namespace: str
    name: str
    node_name: str


@runtime_checkable
class RunsAsPods(Protocol):
    """Ability of a registry: it is pods of a cluster that was made for this run."""

    @property
    def kubeconfig(self) -> Path:
        """How an administrator reaches the cluster."""
        ...

    def pods(self) -> tuple[PlacedPod, ...]:
        """Return its pods that are ready."""
        ...


@runtime_checkable
class ShowsConfiguration(Protocol):
    """Ability of a registry: what it is configured with can be read."""

    def configuration(self) -> str:
        """Return the text of its configuration file (YAML), which holds secrets."""
        ...


@runtime_checkable
class RunsVersions(Protocol):
    """Ability of a lab: another version of a registry can be run for a while."""

    def in_place_of(
        self, registry: Registry, version: RegistryVersion
    ) -> AbstractContextManager[Registry]:
        """Stop a registry and run another version on a copy of its storage until the block ends.

        The other version has its names, certificates and accounts, and is told to read the same
        configuration file. The registry itself serves again at the end, as it was before.
        Raises RegistryError when the other version does not become healthy.
        """
        ...

    def by_its_own_command(
        self, registry: Registry, version: RegistryVersion
    ) -> AbstractContextManager[Endpoint]:
        """Run another version as its image does by default, with the files of a registry.

        They lie where the registry's own version looks for them. Storage and address are its
        own. Gives where it answers over plain HTTP, as it does without a configuration.
        Raises RegistryError when it does not answer.
        """
        ...
