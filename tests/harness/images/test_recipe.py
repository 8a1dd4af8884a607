from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from harness.debian import Suite
from harness.errors import ImageError
from harness.images.model import Image
from harness.images.recipe import RECIPES, load_recipes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(RECIPES, tmp_path / "images")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_every_image_has_a_recipe() -> None:
    assert set(load_recipes()) == set(Image)


def test_nodes_come_from_the_suites_with_their_containerd() -> None:
    recipes = load_recipes()

    nodes = (Image.NODE_1_6, Image.NODE_1_7, Image.NODE_2_1)
    suites = [recipes[image].build.suite for image in nodes]

    assert suites == [Suite.BOOKWORM, Suite.TRIXIE, Suite.SID]


def test_nodes_are_never_replaced_by_somebody_elses_image() -> None:
    recipes = load_recipes()

    assert all(
        recipes[image].published is None for image in Image if image.value.startswith("node")
    )


def test_registry_3_is_published_or_compiled() -> None:
    recipe = load_recipes()[Image.REGISTRY_3]

    assert recipe.published is not None
    assert recipe.build.go is not None
    assert recipe.build.go.name == "registry"
    assert recipe.build.go.version.startswith("3.")
    assert recipe.build.go.source in recipe.build.ingredients


def test_no_recipe_names_a_host() -> None:
    texts = [file.read_text("utf-8") for file in RECIPES.glob("*.toml")]

    assert not [text for text in texts if "://" in text]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"iproute2",', ""),
        ("version = 2", "version = 3"),
        ('suite = "trixie"', 'suite = "sid"'),
        ('"dash"', '"bash"'),
        ('"/opt/cni",', ""),
        ('"/usr/bin/tini-static",', ""),
        ('"--config"', '"-c"'),
    ],
)
def test_hash_changes_with_the_recipe(folder: Path, old: str, new: str) -> None:
    before = load_recipes(folder)[Image.NODE_1_7].hash

    change(folder / "node.toml", old, new)

    assert load_recipes(folder)[Image.NODE_1_7].hash != before


def test_hash_changes_with_the_published_digest(folder: Path) -> None:
    before = load_recipes(folder)[Image.REGISTRY_3].hash

    change(folder / "registry-3.toml", "sha256:849b7d", "sha256:000000")

    assert load_recipes(folder)[Image.REGISTRY_3].hash != before


def test_hashes_of_all_images_differ() -> None:
    assert len({recipe.hash for recipe in load_recipes().values()}) == len(Image)


def test_hash_does_not_depend_on_the_order_of_files_and_links(folder: Path) -> None:
    before = load_recipes(folder)[Image.NODE_1_7].hash
    first = '"/usr/sbin/iptables" = "iptables-nft"\n'
    second = '"/usr/sbin/ip6tables" = "ip6tables-nft"\n'

    change(folder / "node.toml", first + second, second + first)

    assert load_recipes(folder)[Image.NODE_1_7].hash == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("packages = [", "packages = [[", "line"),
        ('"containerd",', "1,", "packages.0"),
        ("omit = [", "ommit = [", "ommit"),
        ('suite = "trixie"', 'suite = "woody"', "images.node-1.7.suite"),
        ('suite = "trixie"', "", "images.node-1.7.suite"),
        ('software = "containerd"', "", "give either `software` or, in each image, `go`"),
        ('[images."node-1.7"]', '[images."node-1.8"]', "images.node-1.8"),
        ('software = "containerd"', 'software = "docker"', "not among `packages`"),
        ('"/etc/passwd" =', '"etc/passwd" =', "files.etc/passwd"),
    ],
)
def test_mistake_is_named_with_file_and_place(folder: Path, old: str, new: str, said: str) -> None:
    change(folder / "node.toml", old, new)

    with pytest.raises(ImageError) as refusal:
        load_recipes(folder)

    assert str(folder / "node.toml") in refusal.value.problem
    assert said in refusal.value.problem


def test_short_digest_is_refused(folder: Path) -> None:
    change(folder / "registry-3.toml", "sha256:849b7d", "sha256:")

    with pytest.raises(ImageError, match=r"images\.registry-3\.pull\.digest"):
        load_recipes(folder)


@pytest.mark.parametrize("version", ["v3.1.2", "latest", "3.1"])
def test_module_without_a_whole_version_is_refused(folder: Path, version: str) -> None:
    file = folder / "registry-3.toml"
    change(file, 'version = "3.1.2"', f'version = "{version}"')

    with pytest.raises(ImageError, match=r"images\.registry-3\.go\.version"):
        load_recipes(folder)


def test_hash_changes_with_the_version_of_a_module(folder: Path) -> None:
    before = load_recipes(folder)[Image.REGISTRY_3].hash

    change(folder / "registry-3.toml", 'version = "3.1.2"', 'version = "3.1.3"')

    assert load_recipes(folder)[Image.REGISTRY_3].hash != before


def test_image_with_two_recipes_is_refused(folder: Path) -> None:
    shutil.copy(folder / "load-balancer.toml", folder / "z.toml")

    with pytest.raises(ImageError, match=r"z\.toml: images\.load-balancer: another file"):
        load_recipes(folder)


def test_image_without_recipe_is_named(folder: Path) -> None:
    (folder / "load-balancer.toml").unlink()

    with pytest.raises(ImageError, match="no recipe for load-balancer"):
        load_recipes(folder)
