"""Parts of the tests of images on a real engine."""

from __future__ import annotations

import io
import os
import re
import tarfile
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING

from docker.types import Mount

from harness.home import Home
from harness.images import store
from harness.images.model import Image
from harness.images.provide import provide
from harness.images.recipe import Published
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from harness.engine import Engine


def one_file(content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("etc/content")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


@contextmanager
def running(
    engine: Engine,
    image: Image,
    *,
    command: list[str] | None = None,
    entrypoint: list[str] | None = None,
    network: str = "host",
) -> Iterator[Container]:
    """A container of an image, with what a node needs; a registry gets a port that is free."""
    provided = provide(image, engine=engine, home=Home.locate(os.environ), announce=print)
    container = engine.client.containers.run(
        provided.reference,
        command,
        detach=True,
        entrypoint=entrypoint,
        network=network,
        cap_add=["SYS_ADMIN"],
        security_opt=["apparmor=unconfined"],
        mounts=[Mount("/var/lib/containerd", source=None, type="volume")],
        environment={"REGISTRY_HTTP_ADDR": "127.0.0.1:0"},
        labels={"pullproof.test": "1"},
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


@contextmanager
def port_without_listener() -> Iterator[int]:
    """A port of the loopback that refuses connections and that nobody else can have meanwhile."""
    with socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def said(container: Container, *command: str) -> str:
    output = container.exec_run(list(command)).output
    assert isinstance(output, bytes)
    return output.decode()


@contextmanager
def publisher(engine: Engine) -> Iterator[str]:
    """A registry on the loopback, which engines talk to without TLS; yields its address."""
    with running(engine, Image.REGISTRY_2_8) as container:
        listening = wait_until(
            lambda: re.search(rb"listening on (127[.]0[.]0[.]1:\d+)", container.logs()),
            timeout_seconds=30,
            what="the registry to listen",
        )
        assert listening
        yield listening[1].decode()


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
