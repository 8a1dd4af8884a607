from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from harness.images.component_images import ComponentImage, archive, images_of, write_layer

if TYPE_CHECKING:
    from pathlib import Path

LISTED = (
    "registry.k8s.io/kube-apiserver:v1.36.3",
    "registry.k8s.io/coredns/coredns:v1.14.2",
    "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/etcd:3.6.8-0",
)


def unpacked(images: tuple[ComponentImage, ...], layer: Path) -> dict[str, bytes]:
    sha256 = hashlib.sha256(layer.read_bytes()).hexdigest()
    content = archive(images, layer=layer, sha256=sha256, architecture="arm64", folder="/seed/x")
    with tarfile.open(fileobj=io.BytesIO(b"".join(content))) as found:
        members = found.getmembers()
        return {
            member.name.rpartition("/")[2]: file.read()
            for member in members
            if (file := found.extractfile(member))
        }


def test_every_listed_name_is_kept_by_one_image() -> None:
    names = [name for image in images_of(LISTED) for name in image.names]

    assert set(LISTED) < set(names)
    assert len(names) == len(set(names))


def test_resolver_and_pause_start_without_a_command() -> None:
    entrypoints = {name: image.entrypoint for image in images_of(LISTED) for name in image.names}

    assert entrypoints["registry.k8s.io/coredns/coredns:v1.14.2"] == ("/usr/bin/coredns",)
    assert entrypoints["registry.k8s.io/pause:3.10.2"] == ("/usr/bin/pause",)
    assert entrypoints["registry.k8s.io/pause:local"] == ("/usr/bin/pause",)
    assert entrypoints["registry.k8s.io/etcd:3.6.8-0"] == ()


def test_written_layer_is_named_by_its_digest(tmp_path: Path) -> None:
    sha256 = write_layer([b"one", b"two"], tmp_path / "layer")

    assert (tmp_path / "layer").read_bytes() == b"onetwo"
    assert sha256 == hashlib.sha256(b"onetwo").hexdigest()


def test_archive_has_every_image_on_one_layer(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    write_layer([b"a layer" * 100], layer)

    files = unpacked(images_of(LISTED), layer)

    manifest = json.loads(files["manifest.json"])
    assert files["layer.tar"] == layer.read_bytes()
    assert {tuple(image["Layers"]) for image in manifest} == {("layer.tar",)}
    for image in manifest:
        config = json.loads(files[image["Config"]])
        assert config["architecture"] == "arm64"
        assert config["rootfs"]["diff_ids"] == [
            f"sha256:{hashlib.sha256(layer.read_bytes()).hexdigest()}"
        ]
