"""Bundles: images as files, for sites that can neither pull nor build."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Annotated, Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ImageError
from harness.images import store
from harness.images.model import Image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from docker import DockerClient

    from harness.images.model import ProvidedImage

MANIFEST = "bundle.json"
_TAG = "bundled"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Archive(_Part):
    """One image of a bundle: its file, what that must hash to, and what is in it.

    `digest` and `software` are those of the image, as in ProvidedImage.
    """

    file: Annotated[str, Field(pattern=r"^[^/]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    digest: str
    software: str


class _Manifest(_Part):
    version: Literal[1]
    images: dict[Annotated[Image, Field(strict=False)], Archive]


def find_archive(folder: Path, image: Image) -> Archive | None:
    """Return what a bundle has for an image, None when it has nothing.

    Raises ImageError, which names file and field, for a bundle that cannot be understood.
    """
    file = folder / MANIFEST
    try:
        manifest = _Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ImageError(
            f"{folder} is no bundle of images: {error}",
            remedy="make one with `nox -s bundle` where images can be had",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "the whole file"
        raise ImageError(f"{file}: {where}: {first['msg']}") from error
    return manifest.images.get(image)


def load_archive(
    archive: Archive, *, folder: Path, client: DockerClient, repository: str, tag: str
) -> None:
    """Load an image of a bundle into the store, once its bytes are those of the manifest.

    Raises ImageError when they are not, or when the engine refuses the file.
    """
    file = folder / archive.file
    try:
        with file.open("rb") as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{folder / MANIFEST} lists {archive.file}: {error}") from error
    if actual != archive.sha256:
        raise ImageError(
            f"{file} is not what {MANIFEST} says: sha256 {actual}, expected {archive.sha256}",
            remedy="copy the bundle again from where it was made",
        )
    store.load(client, file, repository=repository, tag=tag)
    store.drop(client, f"{repository}:{_TAG}")


def save_bundle(images: Iterable[ProvidedImage], *, into: Path, client: DockerClient) -> Path:
    """Write a bundle of images that are in the store; return its manifest.

    The manifest is written last, so that an interrupted bundle is none. Raises ImageError.
    """
    into.mkdir(parents=True, exist_ok=True)
    with FileLock(into / "bundle.lock"):
        (into / MANIFEST).unlink(missing_ok=True)
        archives = {image.image: _save(image, into, client) for image in images}
        manifest = _Manifest(version=1, images=archives)
        draft = into / f"{MANIFEST}.draft"
        _write(draft, [manifest.model_dump_json(indent=2).encode(), b"\n"])
        return draft.replace(into / MANIFEST)


def _save(image: ProvidedImage, into: Path, client: DockerClient) -> Archive:
    # Under a name of its own, so that loading it elsewhere replaces no image of that store.
    repository = f"{store.PREFIX}{image.image}"
    store.tag(client, image.reference, repository=repository, tag=_TAG)
    try:
        file = into / f"{image.image}.tar"
        sha256 = _write(file, store.save(client, f"{repository}:{_TAG}"))
    finally:
        store.drop(client, f"{repository}:{_TAG}")
    return Archive(file=file.name, sha256=sha256, digest=image.digest, software=image.software)


def _write(file: Path, content: Iterable[bytes]) -> str:
    """Write a file through to the disk; return the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with file.open("wb") as output:
        for chunk in content:
            digest.update(chunk)
            output.write(chunk)
        output.flush()
        os.fsync(output.fileno())
    return digest.hexdigest()
