"""A node that is a container of ours, driven through its CRI as a kubelet would."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cluster.containerd_config import CONFIG_FILE, CONTENT_FOLDER
from harness.cluster.protocols import Pull
from harness.cri.client import CRIError
from harness.diagnosis import diagnose
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.command import Completed
    from harness.cri.client import CRI
    from harness.engine import Container, ContainerHandle
    from harness.secret import Credentials

CONFIG_FOLDER = "/etc/containerd"
RUN_FOLDER = "/run/pullproof"
SOCKET = f"{RUN_FOLDER}/cri.sock"

# Leases keep what a failed pull has fetched. A lease of our own makes sure that there is one
# whose synchronous removal collects the garbage before the command returns.
_FORGET = """
ctr="ctr --address $0 --namespace k8s.io"
$ctr leases create --id forget >/dev/null && $ctr leases rm --sync $($ctr leases ls --quiet)
"""


@dataclass(frozen=True)
class RuntimePlace:
    """Where a node's runtime is found: its socket, and its log, which a command shows.

    Without a command the log is the container's own. `bound` tells that the folder of its
    configuration lies on this machine. `unit` is systemd's, empty where there is none.
    """

    socket: str
    log_command: tuple[str, ...] = ()
    bound: bool = True
    unit: str = ""


ALONE = RuntimePlace(SOCKET)


@dataclass(frozen=True)
class NodeHandle:
    """What another process needs to use a node; plain text, so that it can be sent.

    `folder` is the node's folder on this machine: `run` is bound into the node and, where the
    place says so, `etc` as the folder of the runtime's configuration.
    """

    name: str
    container_id: str
    folder: str
    place: RuntimePlace = ALONE

    @property
    def socket(self) -> Path:
        """The runtime's socket on this machine."""
        return Path(self.folder) / "run/cri.sock"

    def on_host(self, path: str) -> Path | None:
        """Return where a file of the runtime's configuration lies on this machine, else None."""
        inside = Path(os.path.normpath(path))
        if not self.place.bound or not inside.is_relative_to(CONFIG_FOLDER):
            return None
        return Path(self.folder) / "etc" / inside.relative_to(CONFIG_FOLDER)


class ContainerdNode:
    """A container that is a node, be it of kind; has the ability RuntimeAccess."""

    def __init__(self, handle: NodeHandle, container: Container, cri: CRI) -> None:
        self.handle = handle
        self._container = container
        self._cri = cri

    def __repr__(self) -> str:
        return f"ContainerdNode({self.name})"

    @property
    def name(self) -> str:
        """The node's name, unique in its cluster."""
        return self.handle.name

    @property
    def address(self) -> str:
        """The address that registries see the node's requests come from, as long as it runs."""
        return self._container.address

    @property
    def started_at(self) -> str:
        """When it was started last, as Docker writes it."""
        return self._container.started_at

    @property
    def container(self) -> ContainerHandle:
        """The container that is the node."""
        return self._container.known_as(self.name)

    @property
    def runtime_unit(self) -> str:
        """The runtime's unit of systemd, empty where it is the process of the container."""
        return self.handle.place.unit

    def pull(
        self, reference: str, credentials: Credentials | None = None, *, timeout_seconds: float = 60
    ) -> Pull:
        """Call the CRI's PullImage; the time measured is that of the call and nothing else."""
        image_id, refusal = None, None
        started, begin = time.time(), time.perf_counter()
        try:
            image_id = self._cri.pull_image(reference, credentials, timeout_seconds=timeout_seconds)
        except CRIError as error:
            refusal = error
        duration = time.perf_counter() - begin
        return Pull(
            node=self.name,
            reference=reference,
            started=started,
            ended=started + duration,
            duration_seconds=duration,
            image_id=image_id,
            failure=diagnose(refusal.details, refusal.code) if refusal else None,
        )

    def read_file(self, path: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        return self._container.get_file(path)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file whole, making its folders.

        The runtime's configuration appears at once or not at all, and belongs to whoever runs
        the harness, who must be able to remove it.
        """
        host = self.handle.on_host(path)
        if host is None:
            self._container.put_file(path, content)
        else:
            write_whole(host, content)

    def list_files(self, folder: str) -> tuple[str, ...]:
        """Return the paths of all files below a folder, sorted; empty where there is none."""
        listing = self.execute(["ls", "-1ARp", folder.rstrip("/") + "/"]).text
        return tuple(sorted(parse_listing(listing)))

    def execute(self, arguments: Sequence[str], *, timeout_seconds: float = 30) -> Completed:
        """Run a command on the node; any exit status is an answer."""
        return self._container.execute(arguments, timeout_seconds=timeout_seconds)

    def remove_image(self, reference: str) -> None:
        """Remove an image with its content from the runtime, so that the next pull is cold.

        What a failed pull has left behind goes as well; no pull may be under way on the node.
        """
        self._cri.remove_image(reference)
        self.forget_failed_pulls()

    def forget_failed_pulls(self) -> None:
        """Remove content that no image has, so that what failed is not half done next time.

        Pulls that are under way on the node lose what they have fetched.
        """
        done = self.execute(["sh", "-c", _FORGET, self.handle.place.socket])
        if done.status != 0:
            raise HarnessError(f"{self.name} did not collect its garbage: {done.stderr.strip()}")

    def answers(self) -> bool:
        """Whether the runtime takes calls, be it that it has no CRI and says so."""
        return self._cri.answers()

    def runtime_version(self) -> str:
        """Return the runtime's version, such as `1.7.24`, without a distribution's suffix.

        It is the running one's, which tells it also when its CRI has not loaded.
        """
        done = self.execute(["ctr", "--address", self.handle.place.socket, "version"])
        running = done.text.partition("Server:")[2]
        number = re.search(r"\d+\.\d+\.\d+", running)
        if number is None:
            raise HarnessError(f"{self.name} does not tell its version: {done.stderr.strip()}")
        return number[0]

    def runtime_conditions(self) -> dict[str, str]:
        """Return the CRI's conditions that are not met: type to reason and message.

        Left out are those about the pods' network, which not all such nodes have, and about
        deprecations. A service of the CRI that does not answer is a condition as well: a runtime
        whose CRI plugin did not load says no more than that.
        """
        unmet: dict[str, str] = {}
        try:
            for condition in self._cri.status().conditions:
                if condition.type == "RuntimeReady" and not condition.met:
                    unmet[condition.type] = f"{condition.reason}: {condition.message}"
        except CRIError as error:
            unmet["RuntimeReady"] = f"{error.code}: {error.details}"
        try:
            self._cri.list_images()
        except CRIError as error:
            unmet["ImageServiceReady"] = f"{error.code}: {error.details}"
        return unmet

    def runtime_config(self) -> str:
        """Return the runtime's effective configuration as TOML: the file and all defaults."""
        done = self.execute(["containerd", "--config", CONFIG_FILE, "config", "dump"])
        if done.status != 0:
            raise HarnessError(f"{self.name} has no configuration to show: {done.stderr.strip()}")
        return done.text

    def runtime_log(self) -> str:
        """Return the runtime's log so far."""
        shown = self.handle.place.log_command
        if shown:
            return self.execute(shown).text
        return self._container.logs().decode("utf-8", "replace")

    def content_digests(self, digests: Sequence[str]) -> dict[str, str]:
        """Hash stored blobs on the node: wanted digest to the digest of the bytes found.

        A digest that the node does not hold is absent from the answer.
        """
        paths = [f"{CONTENT_FOLDER}/{digest.removeprefix('sha256:')}" for digest in digests]
        if not paths:
            return {}
        lines = self.execute(["sha256sum", "--", *paths], timeout_seconds=120).text.splitlines()
        found = (line.split(maxsplit=1) for line in lines)
        return {f"sha256:{Path(path).name}": f"sha256:{digest}" for digest, path in found}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def parse_listing(listing: str) -> list[str]:
    """Return the paths of files in what `ls -1ARp FOLDER/` prints."""
    files: list[str] = []
    folder = ""
    for line in listing.splitlines():
        if line.startswith("/") and line.endswith(":"):
            folder = line[:-1].rstrip("/")
        elif line and not line.endswith("/"):
            files.append(f"{folder}/{line}")
    return files
