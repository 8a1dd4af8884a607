from __future__ import annotations

import dataclasses
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness.errors import ImageError
from harness.home import Home
from harness.images import store
from harness.images.__main__ import main
from harness.images.bundle import find_archive, save_bundle
from harness.images.model import Image, Origin, ProvidedImage
from harness.images.provide import provide, provide_all
from harness.images.reach import Reach, reach, remember, remembered
from harness.images.recipe import Published, load_recipes
from tests.integration.images.parts import one_file, port_without_listener, published, publisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient

    from harness.engine import Engine


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


def test_registry_3_is_never_replaced_by_another_version(
    engine: Engine, offline: Home, recipes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(offline.root))  # where there is no Go

    with pytest.raises(ImageError) as refusal:
        provide(Image.REGISTRY_3, engine=engine, home=offline, announce=print, recipes=recipes)

    assert "cable is cut" in refusal.value.problem
    assert "no bundle is given" in refusal.value.problem
    assert "cmd/registry@v3.1.2 cannot be compiled: go: command not found" in refusal.value.problem
    assert "Go 1.26 or newer" in refusal.value.remedy
    assert "bundle" in refusal.value.remedy


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
    with port_without_listener() as port, ExitStack() as cleaning:
        publish_as_registry(
            recipes, Published(f"127.0.0.1:{port}/gone", f"sha256:{'1' * 64}", "scrap 1")
        )
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


def test_bundle_without_the_image_says_so(
    engine: Engine, scrap: str, offline: Home, recipes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bundle_of(engine, scrap, offline.root / "bundle")
    manifest = folder / "bundle.json"
    manifest.write_text('{"version": 1, "images": {}}', "utf-8")
    monkeypatch.setenv("PATH", str(offline.root))  # where there is no Go

    with pytest.raises(ImageError, match="has it not"):
        provide(
            Image.REGISTRY_3,
            engine=engine,
            home=offline,
            announce=print,
            bundle=folder,
            recipes=recipes,
        )


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
