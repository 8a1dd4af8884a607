"""Containers of a lab: what they are made of, and what can be done to one."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors
from docker.types import EndpointConfig, LogConfig, Mount
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.engine.archives import TornArchiveError, is_whole
from harness.engine.errors import reported
from harness.engine.execution import execute
from harness.errors import EngineError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import docker
    from docker.models.containers import Container as SdkContainer

    from harness.command import Completed

# testcontainers' reaper is an image that would have to be pulled; runs have a watchdog instead.
testcontainers_config.ryuk_disabled = True
# Images are named by their ids, which no prefix fits, and nothing is pulled: without this a
# pipeline that sets testcontainers' variables would change names and log in to registries.
testcontainers_config.hub_image_name_prefix = ""
if testcontainers_config.docker_auth_config:
    testcontainers_config.docker_auth_config = ""

# What testcontainers adds itself, and refuses from others.
_OWN_LABELS = "org.testcontainers"


@dataclass(frozen=True)
class Bind:
    """A file or folder of the machine, seen in a container; it must exist."""

    host: Path
    path: str
    read_only: bool = True


@dataclass(frozen=True)
class ContainerSpec:
    """What a container is made of.

    `image` is the id or name of an image that the engine holds; nothing is ever pulled.
    `network` is a network's name, None for no network at all; `aliases` are further names in
    it. `volumes` maps names of volumes to paths, `tmpfs` paths to mount options such as
    `size=64m`. `sysctls` are kernel settings of its network. `stop_signal` asks its process to
    end, empty for the one that the image names. `log_options` are those of Docker's
    `json-file` driver.
    """

    name: str
    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    hostname: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None
    aliases: tuple[str, ...] = ()
    binds: tuple[Bind, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    privileged: bool = False
    sysctls: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    log_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerHandle:
    """What another process on this machine needs to reach a container.

    `name` is what reports call it, such as `node-1`; `url` is its engine's.
    """

    name: str
    id: str
    url: str


@dataclass(frozen=True)
class Container:
    """A container that was started; every method is one or two calls to the engine."""

    name: str
    id: str
    _url: str
    _client: docker.DockerClient

    @property
    def address(self) -> str:
        """The IP address in its network; it may change when the container starts again."""
        networks = self._inspect().attrs["NetworkSettings"]["Networks"]
        addresses = [str(one["IPAddress"]) for one in networks.values() if one["IPAddress"]]
        if not addresses:
            raise EngineError(f"container {self.name} has no address: it is not running")
        return addresses[0]

    @property
    def pid(self) -> int:
        """The number of its first process on the engine's machine, 0 when it is not running."""
        return int(self._inspect().attrs["State"]["Pid"])

    @property
    def network_namespace(self) -> Path | None:
        """The file of its network namespace on the engine's machine, None when it does not run."""
        file = self._inspect().attrs["NetworkSettings"]["SandboxKey"]
        return Path(file) if file else None

    @property
    def status(self) -> str:
        """Docker's word for its state, such as `running`, `paused`, `exited`."""
        return self._inspect().status

    @property
    def started_at(self) -> str:
        """When its process was started last, as Docker writes it."""
        return str(self._inspect().attrs["State"]["StartedAt"])

    def known_as(self, name: str) -> ContainerHandle:
        """Return what other processes need to reach it, under the name that reports use."""
        return ContainerHandle(name, self.id, self._url)

    def beside(self, name: str) -> Container | None:
        """Return another container of the same engine, None where there is none."""
        with reported(f"cannot look for container {name}"):
            try:
                found = self._client.containers.get(name)
            except docker.errors.NotFound:
                return None
        return Container(name, str(found.id), self._url, self._client)

    def start_beside(self, spec: ContainerSpec) -> Container:
        """Start another container in the same engine; raises EngineError."""
        return start_container(spec, self._client, self._url, None)

    def execute(self, arguments: Sequence[str], *, timeout_seconds: float = 30) -> Completed:
        """Run a command inside to its end; any exit status is an answer.

        Raises CommandError when the time runs out; the command may then still run.
        """
        with reported(f"cannot run a command in {self.name}"):
            return execute(
                self._client, self._url, self.id, arguments, timeout_seconds=timeout_seconds
            )

    def put_file(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Write a file of root's whole, making its folders; not into a tmpfs."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
        with reported(f"cannot write {path} in {self.name}"):
            self._inspect().put_archive("/", archive.getvalue())

    def get_file(self, path: str) -> bytes | None:
        """Return a regular file's content, None where there is none."""
        with reported(f"cannot read {path} in {self.name}"):
            try:
                chunks, _ = self._inspect().get_archive(path)
            except docker.errors.NotFound:
                return None
            archive = io.BytesIO(b"".join(chunks))
        with tarfile.open(fileobj=archive) as tar:
            content = tar.extractfile(tar.getmembers()[0])
            return content.read() if content else None

    def save(self, path: str, file: Path) -> None:
        """Write a folder with all that is in it to a tar file, which only we may read.

        The container may be running or not. Links are kept as links. Raises TornArchiveError
        where a file changed in the moment in which it was read.
        """
        file.touch(mode=0o600)
        with reported(f"cannot read {path} in {self.name}"), file.open("wb") as archive:
            chunks, _ = self._inspect().get_archive(path)
            archive.writelines(chunks)
        if not is_whole(file):
            raise TornArchiveError(f"{path} in {self.name} changed while it was copied")

    def unpack(self, file: Path, folder: str) -> None:
        """Unpack a tar file into a folder that is there."""
        with reported(f"cannot unpack into {folder} in {self.name}"), file.open("rb") as archive:
            self._inspect().put_archive(folder, archive)

    def start_like(self, name: str, *, binds: Sequence[Bind], aliases: Sequence[str]) -> Container:
        """Start another container of the same image, command, environment, network and labels.

        It has `binds` and no volumes: what it stores goes with it.
        """
        attributes = self._inspect().attrs
        configuration = attributes["Config"]
        (network, *_) = attributes["NetworkSettings"]["Networks"]
        nameservers = attributes["HostConfig"]["Dns"]
        given = configuration["Labels"].items()
        labels = {name: value for name, value in given if not name.startswith(_OWN_LABELS)}
        spec = ContainerSpec(
            name=name,
            image=attributes["Image"],
            entrypoint=tuple(configuration["Entrypoint"] or ()),
            command=tuple(configuration["Cmd"] or ()),
            hostname=configuration["Hostname"],
            labels=labels,
            network=network,
            aliases=tuple(aliases),
            binds=tuple(binds),
            environment=dict(each.split("=", 1) for each in configuration["Env"] or ()),
        )
        nameserver = nameservers[0] if nameservers else None
        try:
            return start_container(spec, self._client, self._url, nameserver)
        except BaseException:
            remove_container(self._client, name)  # it may be there, and nobody else knows of it
            raise

    def logs(self, *, since: float | None = None) -> bytes:
        """Return what it printed on both streams since a moment (seconds since the epoch)."""
        with reported(f"cannot read the log of {self.name}"):
            if since is None:
                return self._inspect().logs()
            return self._inspect().logs(since=since)

    def stop(self, *, timeout_seconds: int = 10) -> None:
        """Ask its process to end and kill it when the time runs out."""
        with reported(f"cannot stop {self.name}"):
            self._inspect().stop(timeout=timeout_seconds)

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send a signal to its process."""
        with reported(f"cannot kill {self.name}"):
            self._inspect().kill(signal)

    def start(self) -> None:
        """Start it again after it has stopped."""
        with reported(f"cannot start {self.name}"):
            self._inspect().start()

    def restart(self, *, timeout_seconds: int = 10) -> None:
        """Stop it and start it again."""
        with reported(f"cannot restart {self.name}"):
            self._inspect().restart(timeout=timeout_seconds)

    def pause(self) -> None:
        """Freeze all its processes."""
        with reported(f"cannot pause {self.name}"):
            self._inspect().pause()

    def unpause(self) -> None:
        """Let frozen processes go on."""
        with reported(f"cannot unpause {self.name}"):
            self._inspect().unpause()

    def memory_bytes(self) -> int:
        """Return the memory that its processes hold, without the page cache of their files."""
        details = self._stats()["memory_stats"].get("stats", {})
        # cgroup v1 counts the whole subtree under `total_`, v2 always does; a container that
        # does not run has neither.
        return int(details.get("total_rss", details.get("anon", 0)))

    def cpu_seconds(self) -> float:
        """Return the processor time that its processes have used since it was started."""
        return float(self._stats()["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9

    def remove(self) -> None:
        """Remove it, running or not, with its anonymous volumes; twice does no harm."""
        with reported(f"cannot remove {self.name}"):
            remove_container(self._client, self.id)

    def _stats(self) -> dict[str, Any]:
        with reported(f"cannot read what {self.name} uses"):
            found: dict[str, Any] = self._client.api.stats(self.id, stream=False, one_shot=True)
        return found

    def _inspect(self) -> SdkContainer:
        with reported(f"cannot find container {self.name}"):
            return self._client.containers.get(self.id)


def start_container(
    spec: ContainerSpec, client: docker.DockerClient, url: str, nameserver: str | None
) -> Container:
    """Create and start a container through testcontainers.

    `nameserver` is asked for names that no container has; None leaves that to the engine.
    """
    _require_image(spec, client)
    draft = DockerContainer(
        spec.image, docker_client_kw={"environment": {"DOCKER_HOST": url}}, name=spec.name
    )
    draft.with_command(list(spec.command)).with_envs(**spec.environment)
    for path, options in spec.tmpfs.items():
        draft.with_tmpfs_mount(path, options)
    network = spec.network or "none"
    endpoint = EndpointConfig(client.api.api_version, aliases=list(spec.aliases))
    draft.with_kwargs(
        hostname=spec.hostname,
        entrypoint=list(spec.entrypoint) or None,
        labels=dict(spec.labels),
        network=network,
        networking_config={network: endpoint} if spec.network else None,
        dns=[nameserver] if nameserver else None,
        mounts=_mounts(spec),
        cap_add=list(spec.cap_add),
        security_opt=list(spec.security_opt),
        privileged=spec.privileged,
        sysctls=dict(spec.sysctls),
        stop_signal=spec.stop_signal or None,
        log_config=LogConfig(type="json-file", config=dict(spec.log_options)),
    )
    try:
        with reported(f"cannot start container {spec.name}"):
            draft.start()
            container_id = draft.get_container_id()
    finally:
        draft.get_docker_client().client.close()
    return Container(spec.name, container_id, url, client)


def remove_container(client: docker.DockerClient, container_id: str) -> None:
    """Remove a container and wait until it is gone, also when somebody else removes it."""
    try:
        client.containers.get(container_id).remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if "already in progress" not in str(error):
            raise

    def gone() -> bool:
        return not client.containers.list(
            all=True, filters={"id": container_id}, ignore_removed=True
        )

    wait_until(gone, timeout_seconds=30, what=f"container {container_id} to be gone")


def _require_image(spec: ContainerSpec, client: docker.DockerClient) -> None:
    """Fail where the image is missing, which testcontainers would try to pull."""
    with reported(f"cannot look for the image of {spec.name}"):
        try:
            client.images.get(spec.image)
        except docker.errors.ImageNotFound:
            raise EngineError(
                f"the engine does not hold image {spec.image} of container {spec.name}",
                remedy="build or load the image first",
            ) from None


def _mounts(spec: ContainerSpec) -> list[Mount]:
    binds = [
        Mount(bind.path, str(bind.host), type="bind", read_only=bind.read_only)
        for bind in spec.binds
    ]
    return binds + [Mount(path, name, type="volume") for name, path in spec.volumes.items()]
