"""The engine's store of images: what is in it, and what we put there."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker.errors import DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from harness.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from docker import DockerClient

    from harness.images.recipe import Published

PREFIX = "pullproof/"


@dataclass(frozen=True)
class Stored:
    """An image in the store: its id, its labels, and the digests of its layers, lowest first."""

    id: str
    labels: Mapping[str, str]
    layers: tuple[str, ...]


def find(client: DockerClient, reference: str) -> Stored | None:
    """Return what the store has under a reference, None when it has nothing."""
    with _refusals(f"look up {reference}"):
        try:
            attributes = client.images.get(reference).attrs
        except ImageNotFound:
            return None
        labels = attributes["Config"].get("Labels") or {}
        return Stored(attributes["Id"], labels, tuple(attributes["RootFS"].get("Layers") or ()))


def own_names(client: DockerClient) -> tuple[str, ...]:
    """Return all names of images that begin with our prefix, whatever made them."""
    with _refusals(f"list images named {PREFIX}*"):
        found = client.images.list(filters={"reference": f"{PREFIX}*"})
    return tuple(sorted(name for image in found for name in image.tags if name.startswith(PREFIX)))


def import_file_system(
    client: DockerClient, content: Iterator[bytes], *, repository: str, tag: str, changes: list[str]
) -> None:
    """Make an image of one layer; the tag appears when the last byte has been read.

    `changes` are lines of a Dockerfile that set metadata. Raises ImageError.
    """
    with _refusals(f"import {repository}"):
        answer = client.api.import_image_from_stream(content, repository, tag, changes)
        _raise_for_error(json.loads(line) for line in answer.splitlines())


def pull(client: DockerClient, published: Published, *, repository: str, tag: str) -> None:
    """Pull a published image by its digest, keep it under our name only. Raises ImageError."""
    pinned = f"{published.repository}@{published.digest}"
    was_there = find(client, pinned) is not None
    with _refusals(f"pull {pinned}"):
        _raise_for_error(
            client.api.pull(published.repository, tag=published.digest, stream=True, decode=True)
        )
        client.api.tag(pinned, repository, tag)
    if not was_there:
        drop(client, pinned)


def load(client: DockerClient, archive: Path, *, repository: str, tag: str) -> None:
    """Load an archive of one image, as `docker save` writes it. Raises ImageError."""
    with _refusals(f"load {archive}"), archive.open("rb") as content:
        loaded = client.images.load(content)
        if len(loaded) != 1:
            raise ImageError(f"{archive} holds {len(loaded)} images, not one")
        loaded[0].tag(repository, tag)


def save(client: DockerClient, reference: str) -> Iterator[bytes]:
    """Yield an image as an archive that `load` takes. Raises ImageError."""
    with _refusals(f"save {reference}"):
        yield from client.api.get_image(reference)


def tag(client: DockerClient, reference: str, *, repository: str, tag: str) -> None:
    """Give an image a further name. Raises ImageError."""
    with _refusals(f"tag {reference}"):
        client.api.tag(reference, repository, tag)


def drop(client: DockerClient, reference: str) -> None:
    """Forget a name; the image goes with its last one. A name that is not there is no error."""
    with _refusals(f"remove {reference}"), suppress(NotFound):
        client.images.remove(reference)


@contextmanager
def _refusals(action: str) -> Iterator[None]:
    try:
        yield
    except (DockerException, RequestException) as error:
        raise ImageError(f"the engine did not {action}: {error}") from error


def _raise_for_error(reports: Iterable[Mapping[str, object]]) -> None:
    """Find the error that the engine reports in a stream which it began as a success."""
    for report in reports:
        if "error" in report:
            raise ImageError(f"the engine refused: {report['error']}")
