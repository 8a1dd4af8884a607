"""The images that run inside a node of kind: one layer, several ways to start it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CHUNK_BYTES = 1 << 20
_LAYER = "layer.tar"


@dataclass(frozen=True)
class ComponentImage:
    """Names under which a layer is kept, and what it runs when nothing else is said."""

    names: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()


def images_of(names: Iterable[str]) -> tuple[ComponentImage, ...]:
    """Return the images for what kubeadm asks for, and for what the node itself needs.

    `names` are those that `kubeadm config images list` prints. CoreDNS and pause are started
    without a command; control plane, kube-proxy and agents say which program they are.
    """
    listed = tuple(names)
    resolver = tuple(name for name in listed if "/coredns:" in name)
    pause = tuple(name for name in listed if "/pause:" in name)
    others = tuple(name for name in listed if name not in resolver + pause)
    return (
        ComponentImage((*others, "registry.k8s.io/node-agent:local")),
        ComponentImage(resolver, ("/usr/bin/coredns",)),
        ComponentImage((*pause, "registry.k8s.io/pause:local"), ("/usr/bin/pause",)),
    )


def write_layer(content: Iterable[bytes], file: Path) -> str:
    """Write a layer (an uncompressed tar archive) to a file; return its SHA-256."""
    digest = hashlib.sha256()
    with file.open("wb") as output:
        for chunk in content:
            digest.update(chunk)
            output.write(chunk)
    return digest.hexdigest()


def archive(
    images: Iterable[ComponentImage], *, layer: Path, sha256: str, architecture: str, folder: str
) -> Iterator[bytes]:
    """Yield a tar archive with the files of an image archive, as `docker save` writes it.

    All images share the one layer. The files lie in `folder`.
    """
    manifest = []
    for image in images:
        config = _config(image, sha256, architecture)
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest.append({"Config": name, "RepoTags": list(image.names), "Layers": [_LAYER]})
        yield from _file(f"{folder}/{name}", len(config), [config])
    text = json.dumps(manifest).encode()
    yield from _file(f"{folder}/manifest.json", len(text), [text])
    yield from _file(f"{folder}/{_LAYER}", layer.stat().st_size, _read(layer))
    yield tarfile.NUL * (2 * tarfile.BLOCKSIZE)


def _config(image: ComponentImage, sha256: str, architecture: str) -> bytes:
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin"],
            "Entrypoint": list(image.entrypoint),
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256}"]},
    }
    return json.dumps(config).encode()


def _file(name: str, size: int, content: Iterable[bytes]) -> Iterator[bytes]:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    yield member.tobuf(tarfile.GNU_FORMAT)
    yield from content
    yield tarfile.NUL * (-size % tarfile.BLOCKSIZE)


def _read(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk
