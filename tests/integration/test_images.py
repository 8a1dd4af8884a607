from __future__ import annotations

import dataclasses
import io
import os
import shutil
import ssl
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
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
from harness.images.__main__ import main
from harness.images.bundle import find_archive, save_bundle
from harness.images.model import Image, Origin, ProvidedImage
from harness.images.provide import provide, provide_all
from harness.images.reach import Reach, reach, remember, remembered
from harness.images.recipe import RECIPES, Published, load_recipes
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
    assert "nox -s bundle" in refusal.value.remedy


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


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """Recipes whose images nobody else has: a unique folder is in each that is built."""
    folder = shutil.copytree(RECIPES, tmp_path / "recipes")
    for file in folder.glob("*.toml"):
        text = file.read_text("utf-8")
        file.write_text(text.replace("directories = [", f'directories = ["/{uuid4().hex}",'))
    return folder


def test_two_runs_at_once_build_an_image_once(engine: Engine, offline: Home, recipes: Path) -> None:
    def one_run(_: int) -> ProvidedImage:
        return provide(
            Image.LOAD_BALANCER, engine=engine, home=offline, announce=print, recipes=recipes
        )

    with ExitStack() as cleaning, ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(one_run, range(2)))
        cleaning.callback(store.drop, engine.client, runs[0].reference)

    assert sorted(run.origin for run in runs) == [Origin.BUILT, Origin.CACHED]
    assert runs[0].id == runs[1].id
    assert runs[0].digest == runs[1].digest
    assert any("cable is cut" in run.reason for run in runs)


def test_same_recipe_and_packages_give_the_same_file_system(
    engine: Engine, offline: Home, recipes: Path
) -> None:
    digests = set()
    for _ in range(2):
        built = provide(
            Image.LOAD_BALANCER, engine=engine, home=offline, announce=print, recipes=recipes
        )
        store.drop(engine.client, built.reference)
        digests.add(built.digest)

    assert len(digests) == 1


def publish_as_registry(recipes: Path, image: Published) -> None:
    """Let the recipe of registry 2.8 name a published image."""
    original = load_recipes(recipes)[Image.REGISTRY_2_8].published
    assert original
    file = recipes / "registry.toml"
    text = file.read_text("utf-8")
    for old, new in zip(dataclasses.astuple(original), dataclasses.astuple(image), strict=True):
        text = text.replace(f'"{old}"', f'"{new}"')
    file.write_text(text, "utf-8")


def test_published_image_is_preferred_to_a_build(
    engine: Engine, scrap: str, home: Home, recipes: Path
) -> None:
    with publisher(engine) as address, ExitStack() as cleaning:
        image = published(engine, scrap, address)
        publish_as_registry(recipes, image)
        pulled, again = (
            provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print, recipes=recipes)
            for _ in range(2)
        )
        cleaning.callback(store.drop, engine.client, pulled.reference)

    assert (pulled.origin, again.origin) == (Origin.PULLED, Origin.CACHED)
    assert pulled.digest == again.digest == image.digest
    assert pulled.software == again.software == "scrap 1"


def test_image_is_built_when_its_publisher_fails_in_the_pull(
    engine: Engine, home: Home, recipes: Path
) -> None:
    home.images.mkdir()
    remember(Reach(answers=True, why="", checked=time.time()), home.images)
    publish_as_registry(
        recipes, Published(f"127.0.0.1:{free_port()}/gone", f"sha256:{'1' * 64}", "scrap 1")
    )
    with ExitStack() as cleaning:
        built = provide(
            Image.REGISTRY_2_8, engine=engine, home=home, announce=print, recipes=recipes
        )
        cleaning.callback(store.drop, engine.client, built.reference)

    found = remembered(home.images, now=time.time())
    assert built.origin is Origin.BUILT
    assert "connection refused" in built.reason
    assert built.software.startswith("docker-registry 2.8.")
    assert found
    assert not found.answers


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


def test_all_of_a_prefix_is_dropped_and_nothing_else(engine: Engine, scrap: str) -> None:
    dropped = store.drop_all(engine.client, prefix=scrap)

    assert dropped == (f"{scrap}:x",)
    assert store.find(engine.client, f"{scrap}:x") is None
    assert store.drop_all(engine.client, prefix=scrap) == ()


def test_command_writes_a_bundle_that_can_be_used(engine: Engine, offline: Home) -> None:
    folder = offline.root / "bundle"
    environment = {**os.environ, "PULLPROOF_HOME": str(Home.locate(os.environ).root)}

    status = main([str(folder), Image.LOAD_BALANCER], environment)

    archive = find_archive(folder, Image.LOAD_BALANCER)
    assert status == 0
    assert archive
    assert archive.software.startswith("haproxy ")
    with ExitStack() as cleaning:
        loaded = provide(
            Image.LOAD_BALANCER, engine=engine, home=offline, announce=print, bundle=folder
        )
        cleaning.callback(store.drop, engine.client, loaded.reference)
    assert loaded.origin is Origin.BUNDLE
    assert loaded.reference.endswith(archive.sha256[:12])


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
