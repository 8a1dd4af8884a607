"""How the private engine starts, is shared, survives murder and leaves the machine as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import harness
from harness.command import run
from harness.engine import ContainerSpec, open_engine
from harness.engine.blackhole import add_blackhole
from harness.engine.private import private_engine, stop_unused
from harness.engine.programs import install_programs
from harness.errors import EngineError
from harness.lifecycle.clean import clean
from harness.lifecycle.journal import Journal
from harness.lifecycle.run import started_run
from harness.wait import wait_until
from tests.integration.busybox import fetch_busybox, import_busybox
from tests.integration.namespace import own_network_namespace
from tests.integration.private_home import copy_programs, needs_private_engine, private_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine
    from harness.home import Home

pytestmark = needs_private_engine

CHECKOUT = Path(harness.__file__).parent.parent
FOREVER = ("sleep", "1000000")

# Another run: uses the engine of a home until it is told to leave or killed.
USER = """
import sys
from pathlib import Path
from harness.engine.private import private_engine
from harness.home import Home
from harness.wait import wait_until
with private_engine(Home(Path(sys.argv[1])), print):
    print("inside", flush=True)
    wait_until(Path(sys.argv[2]).exists, timeout_seconds=300, what="the end")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = private_home(tmp_path_factory.mktemp("h"))
    # In the namespace there is nobody to download from.
    install_programs(home, print)
    fetch_busybox(home)
    with own_network_namespace():
        yield home
        assert stop_unused(home)


@pytest.fixture
def own(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A second home; its path is short enough for the engine's sockets."""
    own = private_home(tmp_path_factory.mktemp("o"))
    copy_programs(home, own)
    return own


@pytest.fixture(scope="module")
def image(home: Home, tmp_path_factory: pytest.TempPathFactory) -> str:
    with private_engine(home, print) as engine:
        return import_busybox(engine.client, home, tmp_path_factory.mktemp("root"))


@contextmanager
def another_run(home: Home, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process of its own, which is inside when this yields."""
    log, leave = folder / "log", folder / "leave"
    program = [sys.executable, "-c", USER, str(home.root), str(leave)]
    with log.open("wb") as output:
        process = subprocess.Popen(program, cwd=CHECKOUT, stdout=output, stderr=output)
    try:
        wait_until(
            lambda: "inside" in log.read_text(), timeout_seconds=60, what="the other run to begin"
        )
        yield process
    finally:
        leave.touch()
        process.wait(timeout=60)


def processes_of(home: Home) -> list[str]:
    """Return command lines that name the home's engine, except those of tests."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_text("utf-8", "replace").split("\0")
        except OSError:
            continue
        if Path(words[0]).name.startswith(("dockerd", "containerd", "docker-proxy", "runc")):
            found += [" ".join(words)] if str(home.engine) in " ".join(words) else []
    return found


def mounts_of(home: Home) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if str(home.engine) in line]


def daemon_pid(home: Home) -> int:
    return int((home.engine / "dockerd.pid").read_text())


def sleeping(engine: Engine, image: str, name: str) -> str:
    return engine.start(ContainerSpec(name=name, image=image, command=FOREVER)).id


def test_engine_is_there_while_it_is_used_and_gone_afterwards(home: Home) -> None:
    with private_engine(home, print) as engine:
        assert engine.client.ping()
        assert engine.kind == "private"
        assert Path(f"/proc/{daemon_pid(home)}").exists()

    assert processes_of(home) == []
    assert mounts_of(home) == []
    assert not (home.engine / "docker.sock").exists()


def test_images_are_kept_and_everything_else_is_not(home: Home, image: str) -> None:
    with private_engine(home, print) as engine:
        engine.client.networks.create("left")
        engine.create_volume("left", {})
        engine.start(ContainerSpec(name="left", image=image, command=FOREVER, network="left"))
        engine.start(ContainerSpec(name="ended", image=image, command=("id",)))

    with private_engine(home, print) as engine:
        assert engine.client.images.get(image).id == image
        assert engine.client.containers.list(all=True) == []
        assert engine.client.volumes.list() == []
        assert engine.client.networks.list(names=["left"]) == []


def test_second_run_shares_the_engine_and_the_last_one_ends_it(home: Home, tmp_path: Path) -> None:
    with another_run(home, tmp_path):
        first = daemon_pid(home)
        with private_engine(home, print) as engine:
            assert daemon_pid(home) == first
            assert engine.client.ping()
        assert daemon_pid(home) == first
        assert not stop_unused(home)

    assert processes_of(home) == []


def test_killed_run_takes_nobody_elses_engine_away(home: Home, image: str, tmp_path: Path) -> None:
    with another_run(home, tmp_path) as other:
        with private_engine(home, print) as engine:
            container = sleeping(engine, image, "mine")
            other.kill()
            other.wait()

            assert engine.container("mine") is not None
            assert engine.client.containers.get(container).status == "running"

        assert processes_of(home) == []


def test_engine_of_a_killed_run_is_found_again_and_ended(home: Home, tmp_path: Path) -> None:
    with another_run(home, tmp_path) as other:
        other.kill()
        other.wait()
        orphan = daemon_pid(home)
        assert Path(f"/proc/{orphan}").exists()

        with private_engine(home, print):
            assert daemon_pid(home) == orphan

    assert processes_of(home) == []


def test_crashed_engine_is_swept_up_and_started_again(home: Home, image: str) -> None:
    with private_engine(home, print) as engine:
        engine.client.networks.create("lab")
        spec = ContainerSpec(name="one", image=image, command=FOREVER, network="lab")
        pid = int(engine.client.containers.get(engine.start(spec).id).attrs["State"]["Pid"] or 0)
        os.kill(daemon_pid(home), signal.SIGKILL)

        with private_engine(home, print) as again:
            assert again.client.ping()
            assert again.container("one") is None or again.client.containers.list() == []

    assert processes_of(home) == []
    assert mounts_of(home) == []
    assert not pid or not Path(f"/proc/{pid}").exists()


def test_two_runs_that_begin_at_once_start_one_engine(home: Home, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    with another_run(home, folders[0]), another_run(home, folders[1]):
        assert len([line for line in processes_of(home) if "daemon.json" in line]) == 1

    assert processes_of(home) == []


def test_engine_that_cannot_start_tells_its_last_words(own: Home) -> None:
    (own.engine / "data").write_text("a file where a folder must be")

    with pytest.raises(EngineError, match="did not start") as caught, private_engine(own, print):
        pass

    assert "data" in caught.value.problem
    assert processes_of(own) == []


@pytest.mark.parametrize("forwards", ["0", "1"])
def test_machines_network_is_left_as_it_was(home: Home, image: str, forwards: str) -> None:
    with own_network_namespace():
        switch = Path("/proc/sys/net/ipv4/ip_forward")
        switch.write_text(forwards)
        before = network_settings(home)

        with private_engine(home, print) as engine:
            engine.client.networks.create("lab")
            spec = ContainerSpec(name="one", image=image, command=FOREVER, network="lab")
            engine.start(spec)
            during = network_settings(home)
            network_of_the_run = {name for name in before if during[name] != before[name]}

        assert network_of_the_run <= {"links", "addresses", "routes"}
        assert network_settings(home) == before


def network_settings(home: Home) -> dict[str, str]:
    """Return links, addresses, routes, filter rules and switches of this thread's network."""
    settings = {
        "links": "\n".join(
            sorted(line.split(":")[0] for line in read("/proc/thread-self/net/dev").splitlines())
        ),
        "addresses": read("/proc/thread-self/net/fib_trie"),
        # The first line is a heading, which comes with the first route ever.
        "routes": "\n".join(read("/proc/thread-self/net/route").splitlines()[1:]),
    }
    (programs,) = home.engine.glob("programs-*")
    libraries = next((programs / "usr" / "lib").glob("*-linux-*"))
    for family in ("iptables", "ip6tables"):
        done = run(
            [programs / "usr" / "sbin" / "xtables-nft-multi", f"{family}-save"],
            environment={"LD_LIBRARY_PATH": str(libraries)},
            timeout_seconds=10,
        )
        lines = done.text.splitlines()
        settings[family] = "\n".join(line for line in lines if not line.startswith("#"))
    for path in Path("/proc/sys/net").rglob("*"):
        if path.is_file() and os.access(path, os.R_OK) and not of_a_link(path):
            settings[str(path)] = read(str(path))
    return settings


def of_a_link(path: Path) -> bool:
    """Whether a switch belongs to one link of the engine, or is a counter of the kernel."""
    return any(part.startswith(("br-", "veth")) for part in path.parts) or path.name in (
        "nf_conntrack_count",
        "stable_secret",
    )


def read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError as error:
        return f"cannot be read: {error.errno}"


def test_cleaning_removes_what_is_ours_and_nothing_else(home: Home, image: str, own: Home) -> None:
    with private_engine(own, print):
        pass
    with private_engine(home, print) as engine:
        engine.client.networks.create("lab", labels={"pullproof.run": "dead"})
        spec = ContainerSpec(
            name="dead", image=image, command=FOREVER, labels={"pullproof.run": "dead"}
        )
        engine.start(spec)
        sleeping(engine, image, "foreign")
        # A pulled image has none of our labels, and the user has a name of their own for it.
        engine.client.api.tag(image, "pullproof/registry-2.8", "0123456789ab")
        environment = {"DOCKER_HOST": engine.url}
        with open_engine(own, print, environment) as ambient:
            assert (ambient.kind, ambient.version) == ("ambient", engine.version)
        told: list[str] = []

        clean(own, environment, told.append)

        assert told == [
            *("removed container dead", "removed network lab"),
            "removed image pullproof/registry-2.8:0123456789ab",
            *(f"removed {folder}" for folder in (own.packages, own.engine, own.root)),
        ]
        clean(own, environment, told.append)
        assert len(told) == 6
        assert engine.container("foreign") is not None
        assert engine.client.images.get(image).tags == ["busybox:test"]
    assert not own.root.exists()
    assert private_home().packages.exists()


def test_cleaning_undoes_what_a_dead_run_left_outside_the_home(own: Home) -> None:
    subnet = "198.51.100.0/24"
    run_folder = own.run("dead")
    run_folder.mkdir(parents=True)
    journal = Journal(run_folder / "journal.jsonl")
    journal.intend("engine", "unix:///nonexistent/docker.sock")
    journal.intend("blackhole", subnet)
    told: list[str] = []
    with own_network_namespace():
        add_blackhole(subnet)
        assert routes()

        clean(own, {}, told.append)

        assert not routes()
    assert "kept what a run may have left in the engine at unix:///nonexistent" in told[0]
    assert told[1] == f"removed the route of last resort for {subnet}"
    assert not own.root.exists()


def routes() -> list[str]:
    return Path("/proc/thread-self/net/route").read_text().splitlines()[1:]


def test_cleaning_keeps_what_others_put_into_the_home(own: Home) -> None:
    (own.root / "thesis.txt").touch()
    told: list[str] = []

    clean(own, {}, told.append)

    assert [path.name for path in own.root.iterdir()] == ["thesis.txt"]
    assert "thesis.txt" in told[-1]


def test_cleaning_refuses_while_a_run_is_alive(own: Home) -> None:
    with started_run(own, "busy", time_limit_seconds=60), pytest.raises(EngineError) as caught:
        clean(own, {}, print)

    assert caught.value.problem == "run busy is alive"
    assert "end it" in caught.value.remedy
    assert own.packages.exists()


def test_cleaning_refuses_while_somebody_uses_the_engine(own: Home) -> None:
    with (
        private_engine(own, print) as engine,
        pytest.raises(EngineError, match="somebody is using") as caught,
    ):
        clean(own, {"DOCKER_HOST": engine.url}, print)

    assert "then clean again" in caught.value.remedy
    assert json.loads((own.engine / "daemon.json").read_text())["bridge"] == "none"
