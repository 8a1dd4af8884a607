from __future__ import annotations

import hashlib
import json
from contextlib import closing
from typing import TYPE_CHECKING

import docker
import pytest

from harness.errors import ImageError
from harness.images.bundle import Archive, find_archive, load_archive
from harness.images.model import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = b"an image"
ENTRY = {
    "file": "registry-3.tar",
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "digest": "sha256:1",
    "software": "registry 3.1.1",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "registry-3.tar").write_bytes(CONTENT)
    write(tmp_path, {"version": 1, "images": {"registry-3": ENTRY}})
    return tmp_path


@pytest.fixture
def no_engine() -> Iterator[docker.DockerClient]:
    """A client whose engine nobody runs: whoever uses it fails."""
    with closing(docker.DockerClient(base_url="http://127.0.0.1:1", version="1.45")) as client:
        yield client


def write(folder: Path, manifest: object) -> None:
    (folder / "bundle.json").write_text(json.dumps(manifest), "utf-8")


def load(archive: Archive, folder: Path, client: docker.DockerClient) -> None:
    load_archive(archive, folder=folder, client=client, repository="pullproof/x", tag="t")


def test_manifest_tells_what_the_bundle_has(bundle: Path) -> None:
    assert find_archive(bundle, Image.REGISTRY_3) == Archive(**ENTRY)
    assert find_archive(bundle, Image.NODE_1_7) is None


def test_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is no bundle of images") as refusal:
        find_archive(tmp_path, Image.REGISTRY_3)

    assert "nox -s bundle" in refusal.value.remedy


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"version": 2, "images": {}}, "version"),
        ({"version": 1}, "images"),
        ({"version": 1, "images": {"registry-4": ENTRY}}, "images.registry-4"),
        ({"version": 1, "images": {"registry-3": ENTRY | {"sha256": "1"}}}, "registry-3.sha256"),
        ({"version": 1, "images": {"registry-3": ENTRY | {"file": "../x"}}}, "registry-3.file"),
        ({"version": 1, "images": {}, "more": 1}, "more"),
        ([], "the whole file"),
    ],
)
def test_mistake_in_a_manifest_is_named(tmp_path: Path, manifest: object, said: str) -> None:
    write(tmp_path, manifest)

    with pytest.raises(ImageError) as refusal:
        find_archive(tmp_path, Image.REGISTRY_3)

    assert f"{tmp_path / 'bundle.json'}: " in refusal.value.problem
    assert said in refusal.value.problem


def test_changed_archive_is_refused_before_the_engine_sees_it(
    bundle: Path, no_engine: docker.DockerClient
) -> None:
    (bundle / "registry-3.tar").write_bytes(b"another image")

    with pytest.raises(ImageError, match=r"registry-3\.tar is not what bundle\.json says"):
        load(Archive(**ENTRY), bundle, no_engine)


def test_absent_archive_is_named(bundle: Path, no_engine: docker.DockerClient) -> None:
    (bundle / "registry-3.tar").unlink()

    with pytest.raises(ImageError, match=r"bundle\.json lists registry-3\.tar"):
        load(Archive(**ENTRY), bundle, no_engine)


def test_engine_that_does_not_answer_is_an_error_of_the_image(
    bundle: Path, no_engine: docker.DockerClient
) -> None:
    with pytest.raises(ImageError, match="the engine did not load"):
        load(Archive(**ENTRY), bundle, no_engine)
