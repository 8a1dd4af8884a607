"""The private engine's process: started, found again, ended, and swept up after."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.command import detach, run
from harness.errors import EngineError, WaitTimeoutError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine.programs import Programs

# containerd refuses longer paths for its sockets, of which this is the longest.
_LONGEST_SOCKET = "exec/containerd/containerd-debug.sock"
_SOCKET_PATH_BYTES = 104
_EXECVE_SECONDS = 0.5
_PROGRAMS = ("dockerd", "containerd", "containerd-shim-runc-v2", "runc")


@dataclass(frozen=True)
class Daemon:
    """dockerd with all its state below one folder."""

    folder: Path

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "docker.sock"

    @property
    def log(self) -> Path:
        """What it and its containerd print."""
        return self.folder / "dockerd.log"

    @property
    def _pidfile(self) -> Path:
        return self.folder / "dockerd.pid"

    @property
    def _configuration(self) -> Path:
        return self.folder / "daemon.json"

    def runs(self) -> bool:
        """Whether the process lives, from the moment that `start` returns."""
        return bool(self._processes())

    def start(self, programs: Programs) -> None:
        """Start the process; it outlives ours and is not our child."""
        longest = self.folder / _LONGEST_SOCKET
        if len(os.fsencode(longest)) > _SOCKET_PATH_BYTES:
            raise EngineError(
                f"{longest} is too long for a socket",
                remedy="set PULLPROOF_HOME to a folder with a shorter path",
            )
        self._configuration.write_text(self.settings(), "utf-8")
        detach(
            ["dockerd", "--config-file", self._configuration],
            log=self.log,
            environment=programs.environment,
        )

    def settings(self) -> str:
        """Return dockerd's settings (JSON), which leave the machine's own network alone.

        Nothing is forwarded or translated, so no filter rule is needed either. Published
        ports go through the userland proxy. Names are not asked for outside: at 127.0.0.1 of
        a container nobody listens, so the answer comes at once.
        """
        settings = {
            "hosts": [f"unix://{self.socket}"],
            "group": "root",
            "data-root": str(self.folder / "data"),
            "exec-root": str(self.folder / "exec"),
            "pidfile": str(self._pidfile),
            "storage-driver": "overlay2",
            "bridge": "none",
            "iptables": False,
            "ip6tables": False,
            "ip-forward": False,
            "ip-masq": False,
            "userland-proxy": True,
            "dns": ["127.0.0.1"],
        }
        return json.dumps(settings, indent=2)

    def end(self, *, timeout_seconds: float = 15) -> None:
        """End the process, by force when the time runs out, and all that belongs to it."""
        with suppress(WaitTimeoutError):
            for pid in self._processes():
                _kill(pid, signal.SIGTERM)
            wait_until(
                self.runs,
                ready=lambda runs: not runs,
                timeout_seconds=timeout_seconds,
                what="the private container engine to end",
            )
        self.sweep()

    def sweep(self) -> None:
        """Kill what is left of the engine, containers included, and undo its mounts.

        Afterwards it can be started again, or its folder be removed. Twice does no harm.
        """
        containers = self.folder / "data" / "containers"
        ids = frozenset(path.name for path in containers.glob("*"))

        def left() -> list[int]:
            pids = [pid for pid in _pids() if self._owns(pid, ids)]
            for pid in pids:
                _kill(pid, signal.SIGKILL)
            return pids

        wait_until(
            left,
            ready=lambda pids: not pids,
            timeout_seconds=10,
            what="the private container engine's processes to die",
        )
        for mount in reversed(_mounts_below(self.folder)):
            run(["umount", "--lazy", mount], timeout_seconds=10)
        for socket in self._shim_sockets():
            socket.unlink(missing_ok=True)
        self._pidfile.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def _shim_sockets(self) -> list[Path]:
        """Return where the containers' shims listened: below /run, whatever the settings say.

        A shim that is killed leaves its socket there; containerd notes the address in `exec`.
        """
        notes = self.folder.glob("exec/containerd/daemon/io.containerd.runtime.v2.task/*/*/address")
        return [Path(note.read_text("utf-8").removeprefix("unix://")) for note in notes]

    def _owns(self, pid: int, container_ids: frozenset[str]) -> bool:
        """Whether a process is dockerd, its containerd, a shim of it, or in a container of it.

        The first three, and what a shim calls, name a file of our folder among their arguments.
        """
        program, *arguments = _arguments(pid)
        if Path(program).name in _PROGRAMS:
            return any(argument.startswith(f"{self.folder}/") for argument in arguments)
        with suppress(OSError):
            groups = Path(f"/proc/{pid}/cgroup").read_text("utf-8")
            parts = {part for line in groups.splitlines() for part in line.split("/")}
            names = {part.removeprefix("docker-").removesuffix(".scope") for part in parts}
            return not names.isdisjoint(container_ids)
        return False

    def _processes(self) -> list[int]:
        """Return dockerd's id, or that of the process which is about to become dockerd.

        Found by its arguments rather than by its pidfile, which comes late and goes stale.
        """
        found = ((pid, _arguments(pid)) for pid in _pids())
        return [
            pid
            for pid, (program, *arguments) in found
            if Path(program).name in ("dockerd", "setsid") and str(self._configuration) in arguments
        ]


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _arguments(pid: int) -> list[str]:
    """Return a process's arguments; one empty text for a process that is gone or a zombie.

    A process amid execve(2) shows none either, for a moment; unlike those it has a program.
    """

    def shown() -> bytes | None:
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            if not arguments:
                Path(f"/proc/{pid}/exe").readlink()  # fails where there is no program
        except OSError:
            return None
        return arguments

    with suppress(WaitTimeoutError):
        arguments = wait_until(
            shown,
            ready=lambda arguments: arguments != b"",
            timeout_seconds=_EXECVE_SECONDS,
            what=f"process {pid} to show its arguments",
        )
        return (arguments or b"").decode("utf-8", "replace").split("\0")
    return [""]


def _kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _mounts_below(folder: Path) -> list[str]:
    """Return mount points below a folder in the order in which they were mounted."""
    lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    points = [line.split(" ")[1].encode().decode("unicode_escape") for line in lines]
    return [point for point in points if point.startswith(f"{folder}/")]
