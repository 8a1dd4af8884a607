from __future__ import annotations

import dataclasses
import io
import os
import ssl
import tarfile
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import trustme
from docker.types import Mount

from harness.engine import open_engine
from harness.errors import ImageError
from harness.home import Home
from harness.images import store
from harness.images.bundle import save_bundle
from harness.images.model import Image, Origin, ProvidedImage
from harness.images.provide import provide, provide_all
from harness.images.reach import Reach, reach, remember
from harness.images.recipe import Published, load_recipes
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

    from harness.engine import Engine

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that remembers nothing but the packages of the user's own one."""
    own = Home.locate(os.environ)
    own.packages.mkdir(parents=True, exist_ok=True)
    (tmp_path / "packages").symlink_to(own.packages)
    return Home(tmp_path)


@pytest.fixture
def offline(home: Home) -> Home:
    """A home that remembers that nothing published can be reached."""
    home.images.mkdir()
    remember(Reach(answers=False, why="cable is cut", checked=time.time()), home.images)
    return home


@pytest.fixture
def scrap(engine: Engine) -> Iterator[str]:
    """The name of an image that can be found nowhere else, and that is removed."""
    repository = f"pullproof/test-{uuid4().hex[:12]}"
    store.import_file_system(
        engine.client,
        iter([one_file(repository.encode())]),
        repository=repository,
        tag="x",
        changes=["LABEL pullproof.test=1"],
    )
    yield repository
    store.drop(engine.client, f"{repository}:x")


def one_file(content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("etc/content")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


@contextmanager
def running(
    engine: Engine, image: Image, *, command: list[str] | None = None, network: str = "host"
) -> Iterator[Container]:
    """A container of an image, with what a node needs."""
    provided = provide(image, engine=engine, home=Home.locate(os.environ), announce=print)
    container = engine.client.containers.run(
        provided.reference,
        command,
        detach=True,
        network=network,
        cap_add=["SYS_ADMIN"],
        security_opt=["apparmor=unconfined"],
        mounts=[Mount("/var/lib/containerd", source=None, type="volume")],
        environment={"REGISTRY_HTTP_ADDR": f"127.0.0.1:{free_port()}"},
        labels={"pullproof.test": "1"},
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def said(container: Container, *command: str) -> str:
    output = container.exec_run(list(command)).output
    assert isinstance(output, bytes)
    return output.decode()


@contextmanager
def publisher(engine: Engine) -> Iterator[str]:
    """A registry on the loopback, which engines talk to without TLS; yields its address."""
    with running(engine, Image.REGISTRY_2_8) as container:
        settings = dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])
        address = settings["REGISTRY_HTTP_ADDR"]
        wait_until(lambda: answers(address), timeout_seconds=10, what="the registry")
        yield address


def answers(address: str) -> bool:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def published(engine: Engine, scrap: str, address: str) -> Published:
    """Push the scrap image and say where it lies."""
    repository = f"{address}/scrap"
    store.tag(engine.client, f"{scrap}:x", repository=repository, tag="x")
    try:
        pushed = engine.client.images.push(repository, tag="x", stream=True, decode=True)
        digest = next(line["aux"]["Digest"] for line in pushed if "aux" in line)
    finally:
        store.drop(engine.client, f"{repository}:x")
    return Published(repository, digest, "scrap 1")


@pytest.mark.parametrize(
    ("image", "version"),
    [(Image.NODE_1_6, "1.6."), (Image.NODE_1_7, "1.7."), (Image.NODE_2_1, "2.1.")],
)
def test_node_runs_its_containerd(engine: Engine, image: Image, version: str) -> None:
    with running(engine, image) as node:
        answer = wait_until(
            lambda: said(node, "ctr", "version"),
            ready=lambda text: "Server:" in text and "Revision" in text.split("Server:")[1],
            timeout_seconds=20,
            what="containerd",
        )
        plugins = said(node, "ctr", "plugins", "ls")

    assert f"Version:  {version}" in answer.split("Server:")[1]
    assert "cri" in plugins
    assert all("error" not in line for line in plugins.splitlines() if ".cri" in line)


@pytest.mark.parametrize("image", [Image.NODE_1_6, Image.NODE_1_7, Image.NODE_2_1])
def test_node_trusts_no_authority_of_its_own(engine: Engine, image: Image) -> None:
    # containerd trusts anybody on the loopback, so the server listens on another address.
    with (
        bridge(engine) as (network, gateway),
        tls_server(gateway) as address,
        running(engine, image, network=network) as node,
    ):
        refusal = wait_until(
            lambda: said(node, "ctr", "images", "pull", f"{address}/x:1"),
            ready=lambda text: "dial unix" not in text and "containerd.sock" not in text,
            timeout_seconds=20,
            what="an answer of containerd",
        )
        bundle = said(node, "ls", "/etc/ssl/certs")

    assert "x509: certificate signed by unknown authority" in refusal
    assert bundle == ""


@contextmanager
def bridge(engine: Engine) -> Iterator[tuple[str, str]]:
    """A network of its own; yields its name and the host's address in it."""
    name = f"pullproof-test-{uuid4().hex[:8]}"
    network = engine.client.networks.create(name, labels={"pullproof.test": "1"})
    try:
        network.reload()
        yield name, network.attrs["IPAM"]["Config"][0]["Gateway"]
    finally:
        network.remove()


@contextmanager
def tls_server(host: str) -> Iterator[str]:
    """A server whose certificate is right but for its authority; yields its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(host).configure_cert(context)
    with HTTPServer((host, 0), BaseHTTPRequestHandler) as server:
        # Without the handshake at accept: a client that refuses us must not end the server.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"{host}:{server.server_port}"
        server.shutdown()


def test_node_has_the_tools_that_look_at_it(engine: Engine) -> None:
    with running(engine, Image.NODE_1_7) as node:
        assert said(node, "sha256sum", "/etc/nsswitch.conf").endswith("/etc/nsswitch.conf\n")
        assert "coreutils" in said(node, "dd", "--version")
        assert "lo" in said(node, "ip", "-brief", "address")
        assert said(node, "iptables", "--version").startswith("iptables v")
        assert said(node, "runc", "--version").startswith("runc version")
        assert "host-local" in said(node, "ls", "/opt/cni/bin/")
        assert said(node, "sh", "-c", "cat /proc/1/comm") == "tini\n"


def test_registry_answers(engine: Engine) -> None:
    with running(engine, Image.REGISTRY_2_8) as registry, publisher(engine):
        assert " 2.8." in said(registry, "registry", "--version")


def test_load_balancer_runs_haproxy(engine: Engine) -> None:
    with running(engine, Image.LOAD_BALANCER) as balancer:
        # Without a configuration it ends; that it asks for the documented one is the point.
        balancer.wait(timeout=20)
        assert "/usr/local/etc/haproxy/haproxy.cfg" in balancer.logs().decode()
    with running(engine, Image.LOAD_BALANCER, command=["-v"]) as balancer:
        balancer.wait(timeout=20)
        assert "HAProxy version" in balancer.logs().decode()


def test_images_are_found_again(engine: Engine) -> None:
    own = Home.locate(os.environ)
    wanted = [Image.LOAD_BALANCER, Image.REGISTRY_2_8]
    first = provide_all(wanted, engine=engine, home=own, announce=print)

    again = provide_all(wanted, engine=engine, home=own, announce=print)

    assert list(again) == wanted
    for image in wanted:
        assert again[image].origin is Origin.CACHED
        assert again[image].id == first[image].id
        assert again[image].digest == first[image].digest
        assert again[image].software == first[image].software != ""


def test_registry_3_is_never_replaced_by_another_version(engine: Engine, offline: Home) -> None:
    with pytest.raises(ImageError) as refusal:
        provide(Image.REGISTRY_3, engine=engine, home=offline, announce=print)

    assert "cable is cut" in refusal.value.problem
    assert "no bundle is given" in refusal.value.problem
    assert "no Debian suite has Distribution 3" in refusal.value.problem
    assert "PULLPROOF_BUNDLE" in refusal.value.remedy


def test_publisher_is_asked_once(engine: Engine, home: Home) -> None:
    home.images.mkdir()
    registry = load_recipes()[Image.REGISTRY_3].published
    assert registry
    asked: list[str] = []

    first, second = (
        reach(engine.client, registry, folder=home.images, announce=asked.append, now=time.time)
        for _ in range(2)
    )

    assert first == second
    assert len(asked) == 1


def test_published_image_is_pulled_by_digest_and_kept_under_our_name_only(
    engine: Engine, scrap: str, home: Home
) -> None:
    home.images.mkdir()
    with publisher(engine) as address:
        image = published(engine, scrap, address)
        found = reach(engine.client, image, folder=home.images, announce=print, now=time.time)
        store.drop(engine.client, f"{scrap}:x")
        store.pull(engine.client, image, repository=scrap, tag="x")

        wrong = dataclasses.replace(image, digest=f"sha256:{'0' * 64}")
        with pytest.raises(ImageError):
            store.pull(engine.client, wrong, repository=scrap, tag="wrong")

    assert found.answers
    assert store.find(engine.client, f"{scrap}:x")
    assert store.find(engine.client, f"{image.repository}@{image.digest}") is None
    assert store.find(engine.client, f"{scrap}:wrong") is None


def bundle_of(engine: Engine, scrap: str, folder: Path) -> Path:
    """A bundle in which the scrap image stands for a registry 3."""
    found = store.find(engine.client, f"{scrap}:x")
    assert found
    image = ProvidedImage(
        image=Image.REGISTRY_3,
        id=found.id,
        reference=f"{scrap}:x",
        origin=Origin.CACHED,
        reason="",
        digest=found.layers[0],
        software="registry 3.9.9",
        seconds=0,
    )
    save_bundle([image], into=folder, client=engine.client)
    return folder


def test_bundle_comes_back_as_it_went(engine: Engine, scrap: str, offline: Home) -> None:
    folder = bundle_of(engine, scrap, offline.root / "bundle")
    before = store.find(engine.client, f"{scrap}:x")
    store.drop(engine.client, f"{scrap}:x")
    assert before
    with ExitStack() as cleaning:
        loaded = provide(
            Image.REGISTRY_3, engine=engine, home=offline, announce=print, bundle=folder
        )
        cleaning.callback(store.drop, engine.client, loaded.reference)
        again = provide(
            Image.REGISTRY_3, engine=engine, home=offline, announce=print, bundle=folder
        )

    assert (loaded.origin, again.origin) == (Origin.BUNDLE, Origin.CACHED)
    assert loaded.id == again.id == before.id
    assert loaded.digest == before.layers[0]
    assert loaded.software == again.software == "registry 3.9.9"
    assert store.find(engine.client, "pullproof/registry-3:bundled") is None


def test_tampered_bundle_is_refused(engine: Engine, scrap: str, offline: Home) -> None:
    folder = bundle_of(engine, scrap, offline.root / "bundle")
    archive = folder / "registry-3.tar"
    archive.write_bytes(archive.read_bytes().replace(scrap.encode(), b"x" * len(scrap)))

    with pytest.raises(ImageError, match=r"registry-3\.tar is not what bundle\.json says"):
        provide(Image.REGISTRY_3, engine=engine, home=offline, announce=print, bundle=folder)


def test_archive_that_is_no_image_is_refused(engine: Engine, tmp_path: Path) -> None:
    archive = tmp_path / "x.tar"
    archive.write_bytes(one_file(b"nothing"))

    with pytest.raises(ImageError):
        store.load(engine.client, archive, repository="pullproof/test", tag="x")


def test_bundle_without_the_image_says_so(engine: Engine, scrap: str, offline: Home) -> None:
    folder = bundle_of(engine, scrap, offline.root / "bundle")
    manifest = folder / "bundle.json"
    manifest.write_text('{"version": 1, "images": {}}', "utf-8")

    with pytest.raises(ImageError, match="has it not"):
        provide(Image.REGISTRY_3, engine=engine, home=offline, announce=print, bundle=folder)


def test_interrupted_import_leaves_no_image(engine: Engine) -> None:
    name = f"test-{uuid4().hex[:12]}"

    def broken() -> Iterator[bytes]:
        yield one_file(b"x" * 100_000)[:50_000]
        raise ImageError("the package is damaged")

    with pytest.raises(ImageError, match="the package is damaged"):
        store.import_file_system(
            engine.client,
            broken(),
            repository=f"pullproof/{name}",
            tag="x",
            changes=[f"LABEL pullproof.test={name}"],
        )

    assert labelled(engine.client, name) == []


def labelled(client: DockerClient, value: str) -> list[str]:
    found = client.images.list(all=True, filters={"label": f"pullproof.test={value}"})
    return [str(image.id) for image in found]
