from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.engine.daemon import Daemon
from harness.engine.programs import Programs
from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path)


def test_daemon_that_never_started_does_not_run(daemon: Daemon) -> None:
    assert not daemon.runs()


def test_sweeping_removes_stale_files_and_twice_does_no_harm(daemon: Daemon) -> None:
    (daemon.folder / "dockerd.pid").write_text(str(os.getpid()))
    daemon.socket.touch()

    daemon.sweep()
    daemon.sweep()

    assert not daemon.socket.exists()
    assert not (daemon.folder / "dockerd.pid").exists()


@contextmanager
def stand_in(
    program: str, argument: Path, ignoring: signal.Signals = signal.SIGCHLD
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that calls itself by a program's name and waits."""
    code = f"import signal; signal.signal({int(ignoring)}, signal.SIG_IGN); print(flush=True);"
    command = [program, "-c", f"{code} signal.pause()", str(argument)]
    process = subprocess.Popen(command, executable=sys.executable, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_sweeping_removes_the_sockets_that_killed_shims_leave(
    daemon: Daemon, tmp_path: Path
) -> None:
    socket = tmp_path / "shim.sock"
    socket.touch()
    state = daemon.folder / "exec/containerd/daemon/io.containerd.runtime.v2.task/moby/0123"
    state.mkdir(parents=True)
    (state / "address").write_text(f"unix://{socket}")

    daemon.sweep()
    daemon.sweep()

    assert not socket.exists()


def test_sweeping_kills_what_belongs_to_the_engine_only(daemon: Daemon, tmp_path: Path) -> None:
    of_another = tmp_path.with_name(f"{tmp_path.name}0") / "exec" / "config"
    with (
        stand_in("containerd", daemon.folder / "exec" / "config") as own,
        stand_in("runc", daemon.folder / "exec" / "log.json") as called,
        stand_in("containerd", of_another) as foreign,
        stand_in("editor", daemon.folder / "exec" / "config") as reader,
    ):
        daemon.sweep()

        assert own.wait(timeout=30) == -signal.SIGKILL
        assert called.wait(timeout=30) == -signal.SIGKILL
        assert foreign.poll() is None
        assert reader.poll() is None


def test_daemon_is_known_by_its_configuration(daemon: Daemon, tmp_path: Path) -> None:
    with stand_in("dockerd", tmp_path.with_name("another") / "daemon.json"):
        assert not daemon.runs()
    with stand_in("/some/where/dockerd", tmp_path / "daemon.json"):
        assert daemon.runs()
    assert not daemon.runs()


def test_daemon_is_asked_to_end_and_killed_when_it_does_not(daemon: Daemon) -> None:
    with stand_in("dockerd", daemon.folder / "daemon.json") as willing:
        daemon.end()
        assert willing.wait(timeout=30) == -signal.SIGTERM
    with stand_in("dockerd", daemon.folder / "daemon.json", ignoring=signal.SIGTERM) as stubborn:
        daemon.end(timeout_seconds=0.1)
        assert stubborn.wait(timeout=30) == -signal.SIGKILL


def test_path_too_long_for_a_socket_is_refused_before_anything_starts(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / ("x" * 100))

    with pytest.raises(EngineError, match="too long") as caught:
        daemon.start(Programs(tmp_path))

    assert "PULLPROOF_HOME" in caught.value.remedy


def test_settings_leave_the_machines_network_alone(daemon: Daemon) -> None:
    settings = json.loads(daemon.settings())

    assert settings["bridge"] == "none"
    for name in ("iptables", "ip6tables", "ip-forward", "ip-masq"):
        assert settings[name] is False
    for name in ("data-root", "exec-root", "pidfile"):
        assert settings[name].startswith(f"{daemon.folder}/")
