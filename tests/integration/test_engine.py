"""Containers, networks and volumes of a real engine, which is a private one of the test's own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import harness
from harness.command import run
from harness.engine import Bind, ContainerSpec
from harness.engine.private import private_engine
from harness.engine.programs import install_programs
from harness.errors import CommandError, EngineError
from harness.wait import wait_until
from tests.integration.busybox import fetch_busybox, import_busybox
from tests.integration.namespace import own_network_namespace
from tests.integration.private_home import needs_private_engine, private_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Container, Engine, Network

pytestmark = needs_private_engine

LABEL = "pullproof.run"
FOREVER = ("sleep", "1000000")
CHECKOUT = Path(harness.__file__).parent.parent


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = private_home(tmp_path_factory.mktemp("h"))
    # In the namespace there is nobody to download from.
    install_programs(home, print)
    fetch_busybox(home)
    with own_network_namespace(), private_engine(home, print) as opened:
        yield opened


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    return import_busybox(engine.client, private_home(), tmp_path_factory.mktemp("root"))


@pytest.fixture
def run_id(engine: Engine) -> Iterator[str]:
    run_id = uuid4().hex[:8]
    yield run_id
    engine.remove_labelled(LABEL, run_id)


@pytest.fixture
def network(engine: Engine, run_id: str) -> Iterator[Network]:
    network = engine.create_network(f"net-{run_id}", {LABEL: run_id})
    yield network
    engine.remove_labelled(LABEL, run_id)
    network.remove()


@pytest.fixture
def container(engine: Engine, image: str, run_id: str) -> Container:
    spec = ContainerSpec(name=f"c-{run_id}", image=image, command=FOREVER, labels={LABEL: run_id})
    return engine.start(spec)


def start(engine: Engine, image: str, network: Network, name: str, *aliases: str) -> Container:
    run_id = network.name.removeprefix("net-")
    return engine.start(
        ContainerSpec(
            name=f"{name}-{run_id}",
            image=image,
            command=FOREVER,
            labels={LABEL: run_id},
            network=network.name,
            aliases=aliases,
        )
    )


def test_containers_of_a_network_find_each_other_by_name_and_alias(
    engine: Engine, image: str, network: Network
) -> None:
    server = start(engine, image, network, "server", "registry.lab.test")
    client = start(engine, image, network, "client")

    for name in (server.name, "registry.lab.test"):
        found = client.execute(["nslookup", name])
        assert server.address in found.text
        assert client.execute(["ping", "-c", "1", name]).status == 0


@pytest.mark.parametrize("name", ["nothing-here", "registry.invalid", "a.b.c.test"])
def test_unknown_names_are_answered_with_no_such_name(
    engine: Engine, image: str, network: Network, name: str
) -> None:
    client = start(engine, image, network, "client")

    found = client.execute(["nslookup", name])

    assert "NXDOMAIN" in found.text
    assert "timed out" not in found.text


def test_firewall_that_drops_bridged_packets_is_named_before_a_network_is_made(
    engine: Engine, run_id: str
) -> None:
    assert engine.programs is not None
    iptables, environment = engine.programs.iptables("nft"), engine.programs.environment
    run([iptables, "-P", "FORWARD", "DROP"], environment=environment, timeout_seconds=10)
    try:
        with pytest.raises(EngineError, match="firewall drops") as caught:
            engine.create_network(f"net-{run_id}", {LABEL: run_id})
        rule = caught.value.remedy.partition("iptables-nft ")[2].split()
        run([iptables, *rule], environment=environment, timeout_seconds=10)

        engine.create_network(f"net-{run_id}", {LABEL: run_id}).remove()
    finally:
        run([iptables, "-P", "FORWARD", "ACCEPT"], environment=environment, timeout_seconds=10)
        run([iptables, "-F", "FORWARD"], environment=environment, timeout_seconds=10)


def test_machine_reaches_containers_by_their_address(
    engine: Engine, image: str, network: Network
) -> None:
    server = start(engine, image, network, "server")

    assert network.gateway.rpartition(".")[0] in server.address
    assert server.execute(["ping", "-c", "1", network.gateway]).status == 0


def test_privileged_container_starts_where_capabilities_are_missing(
    engine: Engine, image: str, run_id: str
) -> None:
    spec = ContainerSpec(
        name=f"p-{run_id}",
        image=image,
        command=FOREVER,
        labels={LABEL: run_id},
        privileged=True,
    )

    container = engine.start(spec)

    done = container.execute(["mount", "-t", "tmpfs", "none", "/etc"])
    assert (done.status, done.stderr) == (0, "")


def test_container_has_what_its_specification_says(
    engine: Engine, image: str, run_id: str, tmp_path: Path
) -> None:
    (tmp_path / "given").write_text("from the machine")
    volume = engine.create_volume(f"v-{run_id}", {LABEL: run_id})
    container = engine.start(
        ContainerSpec(
            name=f"full-{run_id}",
            image=image,
            entrypoint=("sh", "-c"),
            command=("echo $GREETING; cat /kept/file; echo more >/kept/file; sleep 1000000",),
            hostname="node-1",
            labels={LABEL: run_id},
            binds=(Bind(tmp_path / "given", "/given"), Bind(tmp_path, "/shared", read_only=False)),
            volumes={volume: "/kept"},
            tmpfs={"/fast": "size=1m"},
            environment={"GREETING": "hello"},
            cap_add=("SYS_ADMIN",),
            security_opt=("apparmor=unconfined",),
            sysctls={"net.ipv4.tcp_syn_retries": "3"},
            stop_signal="SIGINT",
            log_options={"max-size": "1m"},
        )
    )

    script = (
        "cat /given; cat /etc/hostname; cat /proc/sys/net/ipv4/tcp_syn_retries; mount | grep /fast;"
        "echo x >/given; echo y >/shared/new"
    )
    done = container.execute(["sh", "-c", script])

    assert done.text.startswith("from the machinenode-1\n3\n")
    assert "tmpfs on /fast" in done.text
    assert "size=1024k" in done.text
    assert "Read-only" in done.stderr
    assert (tmp_path / "new").read_text() == "y\n"
    assert container._inspect().attrs["Config"]["StopSignal"] == "SIGINT"
    wait_until_said(container, b"hello\n", times=1)


def test_volume_outlives_the_container_and_not_its_removal(
    engine: Engine, image: str, run_id: str
) -> None:
    volume = engine.create_volume(f"v-{run_id}", {LABEL: run_id})
    spec = ContainerSpec(
        name=f"v-{run_id}",
        image=image,
        command=FOREVER,
        labels={LABEL: run_id},
        volumes={volume: "/kept"},
    )
    first = engine.start(spec)
    first.put_file("/kept/deep/file", b"still here")
    first.remove()
    second = engine.start(spec)

    assert second.get_file("/kept/deep/file") == b"still here"

    second.remove()
    engine.remove_volume(volume)
    engine.remove_volume(volume)
    assert engine.labelled(LABEL, run_id) == ()


def test_command_returns_both_streams_and_its_status(container: Container) -> None:
    done = container.execute(["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (done.status, done.text, done.stderr) == (3, "out\n", "err\n")


def test_long_output_is_whole(container: Container) -> None:
    done = container.execute(
        ["sh", "-c", "head -c 3000000 /dev/zero || busybox yes | busybox head -c 3000000"]
    )

    assert len(done.stdout) == 3_000_000


def test_missing_command_is_an_answer(container: Container) -> None:
    assert container.execute(["no-such-program"]).status in (126, 127)


def test_command_that_does_not_end_is_given_up(container: Container) -> None:
    with pytest.raises(CommandError, match=r"sleep 1000: still running after 0\.2 s"):
        container.execute(["sleep", "1000"], timeout_seconds=0.2)

    assert container.execute(["id"]).status == 0


def test_command_in_a_removed_container_is_an_error(container: Container) -> None:
    container.remove()

    with pytest.raises(EngineError, match=container.name):
        container.execute(["id"])


def test_files_are_written_whole_and_read_back(container: Container) -> None:
    container.put_file("/etc/deep/er/file", b"\x00content", mode=0o600)

    assert container.get_file("/etc/deep/er/file") == b"\x00content"
    assert container.execute(["stat", "-c", "%a %u", "/etc/deep/er/file"]).text == "600 0\n"
    assert container.get_file("/etc/deep/none") is None
    assert container.get_file("/etc/deep") is None


def test_log_is_read_from_a_moment_on(engine: Engine, image: str, run_id: str) -> None:
    script = "echo first; cat /go; echo second; sleep 1000000"
    spec = ContainerSpec(
        name=f"l-{run_id}", image=image, command=("sh", "-c", script), labels={LABEL: run_id}
    )
    container = engine.start(spec)
    wait_until_said(container, b"first", times=1)
    container.kill()
    moment = time.time()
    container.start()
    wait_until_said(container, b"first", times=2)

    assert container.logs(since=moment).count(b"first") == 1


def wait_until_said(container: Container, words: bytes, *, times: int) -> None:
    """Return when a container's log has words so many times: the engine writes it by and by."""
    wait_until(
        lambda: container.logs().count(words),
        ready=lambda count: count == times,
        timeout_seconds=30,
        what=f"the log to say {words!r} {times} times",
    )


def test_memory_in_use_is_told_without_the_page_cache(container: Container) -> None:
    # The kernel counts a small process's memory by and by.
    used = wait_until(container.memory_bytes, timeout_seconds=30, what="memory to be counted")
    container.execute(["sh", "-c", "busybox dd if=/dev/zero of=/big bs=1M count=40"])

    assert used < 20 * 2**20
    assert container.memory_bytes() < 20 * 2**20


def test_processor_time_grows_with_what_is_done(container: Container) -> None:
    before = container.cpu_seconds()
    container.execute(["sh", "-c", "busybox dd if=/dev/urandom of=/dev/null bs=1M count=40"])

    assert container.cpu_seconds() > before


def test_container_can_be_stopped_paused_and_started(container: Container) -> None:
    container.pause()
    assert container.status == "paused"
    container.unpause()
    container.kill()
    assert container.status == "exited"
    container.start()
    container.restart(timeout_seconds=0)
    assert container.status == "running"
    container.stop(timeout_seconds=0)
    assert container.status == "exited"


def test_stopped_container_has_no_address(engine: Engine, image: str, network: Network) -> None:
    container = start(engine, image, network, "gone")
    container.kill()

    with pytest.raises(EngineError, match="no address"):
        _ = container.address


def test_container_is_found_by_name_until_it_is_removed(
    engine: Engine, container: Container
) -> None:
    assert engine.container(container.name) == container

    container.remove()
    container.remove()

    assert engine.container(container.name) is None
    with pytest.raises(EngineError, match=container.name):
        container.start()


def test_missing_image_is_named_and_not_pulled(engine: Engine, run_id: str) -> None:
    spec = ContainerSpec(name=f"x-{run_id}", image="registry.invalid/no/such:image")

    with pytest.raises(EngineError, match="does not hold image") as caught:
        engine.start(spec)

    assert "build or load" in caught.value.remedy


def test_variables_of_testcontainers_neither_rename_images_nor_reach_registries(
    engine: Engine, image: str, run_id: str
) -> None:
    program = (
        "from harness.engine import ContainerSpec, open_engine; from harness.home import Home;"
        f"spec = ContainerSpec(name='e-{run_id}', image='{image}', command=('id',),"
        f" labels={{'{LABEL}': '{run_id}'}});"
        f"context = open_engine(Home.locate({{}}), print, {{'DOCKER_HOST': '{engine.url}'}});"
        "engine = context.__enter__(); engine.start(spec); context.__exit__(None, None, None)"
    )

    environment = dict(os.environ) | {
        "TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX": "registry.invalid/",
        "DOCKER_AUTH_CONFIG": '{"auths": {"registry.invalid": {"auth": "YTpi"}}}',
    }
    run(
        [sys.executable, "-c", program],
        directory=CHECKOUT,
        environment=environment,
        timeout_seconds=60,
    )

    assert engine.container(f"e-{run_id}") is not None


def test_taken_name_is_an_error(engine: Engine, image: str, container: Container) -> None:
    with pytest.raises(EngineError, match="already in use"):
        engine.start(ContainerSpec(name=container.name, image=image, command=FOREVER))


def test_network_with_a_container_in_it_cannot_be_removed(
    engine: Engine, image: str, network: Network
) -> None:
    start(engine, image, network, "inside")

    with pytest.raises(EngineError, match="active endpoints"):
        network.remove()


def test_removing_what_a_run_left_spares_other_runs(engine: Engine, image: str) -> None:
    runs = [uuid4().hex[:8] for _ in range(2)]
    networks = [engine.create_network(f"net-{one}", {LABEL: one}) for one in runs]
    for one, network in zip(runs, networks, strict=True):
        engine.create_volume(f"volume-{one}", {LABEL: one})
        start(engine, image, network, "left")
    dead, alive = runs

    removed = engine.remove_labelled(LABEL, dead)

    assert removed == (f"container left-{dead}", f"network net-{dead}", f"volume volume-{dead}")
    assert engine.labelled(LABEL, dead) == ()
    assert engine.remove_labelled(LABEL, dead) == ()
    assert len(engine.labelled(LABEL, alive)) == 3
    for network, one in zip(networks, runs, strict=True):
        engine.remove_labelled(LABEL, one)
        network.remove()


def test_command_line_client_comes_along(engine: Engine) -> None:
    assert engine.programs is not None
    assert os.access(engine.programs.folder / "docker", os.X_OK)
