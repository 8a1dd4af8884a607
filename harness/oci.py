"""Images of the OCI format made from nothing, and references to images; pure data.

Formats: https://github.com/opencontainers/image-spec (manifest.md, image-index.md, layer.md,
config.md). Layers are uncompressed, so that making them costs no more than their random bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from harness import sleeper
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar"

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_CREATED: Final = "2000-01-01T00:00:00Z"
_PROGRAM: Final = "pullproof"
_USER: Final = "65532"  # a number that is nobody, so that pods may demand `runAsNonRoot`

# The grammar of https://github.com/distribution/reference (reference.go, regexp.go).
_HOST: Final = re.compile(
    r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
    r"(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
)
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_DEFAULT_HOST: Final = "docker.io"
_FORMER_DEFAULT_HOST: Final = "index.docker.io"
_DEFAULT_NAMESPACE: Final = "library"


@dataclass(frozen=True)
class Links:
    """What a manifest names by digest: the manifests of an index, else configuration and layers."""

    manifests: tuple[str, ...]
    blobs: tuple[str, ...]


def links(content: bytes) -> Links:
    """Return what a manifest or an index of OCI or Docker names by digest.

    Raises HarnessError for what is neither.
    """
    try:
        document = json.loads(content)
        config = [document["config"]] if "config" in document else []
        return Links(
            manifests=_digests(document.get("manifests", [])),
            blobs=_digests([*config, *document.get("layers", [])]),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise HarnessError(f"{content[:80]!r} is neither a manifest nor an index") from error


def _digests(descriptors: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    return tuple(str(descriptor["digest"]) for descriptor in descriptors)


def sha256_digest(content: bytes) -> str:
    """Return the digest of `content` as it stands in manifests and references."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def machine_architecture() -> str:
    """Return this machine's architecture in the words of OCI platforms: amd64 or arm64.

    Raises HarnessError on a machine of another kind.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise HarnessError(
            f"no image can be made for a machine of the kind {machine}",
            remedy=f"run on one of these: {', '.join(_ARCHITECTURES)}",
        )
    return _ARCHITECTURES[machine]


@dataclass(frozen=True)
class Blob:
    """Bytes with their digest and media type: a layer, a config, a manifest or an index."""

    media_type: str
    content: bytes = field(repr=False)
    digest: str

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.content)

    def parts(self, size: int) -> Iterator[bytes]:
        """Give the bytes in parts of `size`; the last one may be shorter."""
        return (self.content[start : start + size] for start in range(0, self.size, size))


class Content(Protocol):
    """Bytes that can be uploaded in parts: a blob, or a layer that no memory has to hold."""

    @property
    def media_type(self) -> str:
        """What they are, in the words of the OCI image specification."""
        ...

    @property
    def digest(self) -> str:
        """Their digest."""
        ...

    @property
    def size(self) -> int:
        """Their length."""
        ...

    def parts(self, size: int) -> Iterator[bytes]:
        """Give the bytes in parts of `size`; the last one may be shorter."""
        ...


@dataclass(frozen=True)
class Image:
    """An image ready to be pushed; `digest` is its manifest's."""

    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def digest(self) -> str:
        """Digest of the manifest, by which the image is named."""
        return self.manifest.digest

    @property
    def size(self) -> int:
        """Bytes that a node without any of its content has to fetch, in all."""
        return sum(blob.size for blob in (self.manifest, self.config, *self.layers))


@dataclass(frozen=True)
class Index:
    """An image index together with the images that it lists."""

    manifest: Blob
    images: tuple[Image, ...]

    @property
    def digest(self) -> str:
        """Digest of the index, by which the whole is named."""
        return self.manifest.digest


def image(
    *,
    layers: int = 1,
    layer_bytes: int = 1024,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Image:
    """Make an image of layers that hold one file of `layer_bytes` random bytes each.

    The first layer holds a program as well, 1024 bytes of it with its header, so that pods of
    the image run: it sleeps until it is told to end.
    The payload cannot be compressed, and nobody has seen it before, so that no store can hold
    it already. A seeded `random_bytes`, such as `random.Random(7).randbytes`, makes the same
    image again; the default is three times as fast. 100 MiB take 0.5 s and exist twice in
    memory for a moment.
    """
    return _assemble(
        tuple(_layer(number, layer_bytes, random_bytes) for number in range(layers)),
    )


def with_shared_layers(
    base: Image,
    *,
    layers: int = 1,
    layer_bytes: int = 1024,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Image:
    """Make an image that begins with all layers of `base` and adds `layers` of its own."""
    first = len(base.layers)
    own = tuple(_layer(first + number, layer_bytes, random_bytes) for number in range(layers))
    return _assemble((*base.layers, *own))


def with_layer(base: Image, layer: Content) -> Image:
    """Make an image of the layers of `base` and one more, which has to be pushed apart.

    Its own `layers` are those of `base`: what holds its bytes in memory.
    """
    return Image(*_described((*base.layers, layer)), base.layers)


def index(images: Sequence[Image]) -> Index:
    """Make an index that offers `images`, all for this machine's platform, in order."""
    entries = [
        {
            **_descriptor(entry.manifest),
            "platform": {"architecture": machine_architecture(), "os": "linux"},
        }
        for entry in images
    ]
    document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
    return Index(_blob(INDEX_TYPE, _json(document)), tuple(images))


def _assemble(layers: tuple[Blob, ...]) -> Image:
    return Image(*_described(layers), layers)


def _described(layers: Sequence[Content]) -> tuple[Blob, Blob]:
    """Return the manifest and the config of an image with these layers."""
    config = _blob(
        CONFIG_TYPE,
        _json(
            {
                "created": _CREATED,
                "architecture": machine_architecture(),
                "os": "linux",
                "config": {"Entrypoint": [f"/{_PROGRAM}"], "User": _USER},
                # Uncompressed: a layer's diff_id is the digest of the blob itself.
                "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
            }
        ),
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(config),
        "layers": [_descriptor(layer) for layer in layers],
    }
    return _blob(MANIFEST_TYPE, _json(manifest)), config


def _layer(number: int, size: int, random_bytes: Callable[[int], bytes]) -> Blob:
    entries: tuple[bytes, ...] = _entry(f"payload-{number}", random_bytes(size))
    if number == 0:
        program = sleeper.program(machine_architecture())
        entries = (*_entry(_PROGRAM, program, mode=0o755), *entries)
    # A tar ends with two blocks of zeros.
    return _blob(LAYER_TYPE, b"".join((*entries, bytes(2 * tarfile.BLOCKSIZE))))


def _entry(name: str, content: bytes, *, mode: int = 0o644) -> tuple[bytes, bytes, bytes]:
    """Return a file in a tar: its header, its content and what fills its last block."""
    filling = bytes(-len(content) % tarfile.BLOCKSIZE)
    return file_header(name, len(content), mode=mode), content, filling


def file_header(name: str, size: int, *, mode: int = 0o644) -> bytes:
    """Return what stands in a tar before a regular file of so many bytes."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member.tobuf(format=tarfile.USTAR_FORMAT)


def _blob(media_type: str, content: bytes) -> Blob:
    return Blob(media_type, content, sha256_digest(content))


def _descriptor(blob: Content) -> dict[str, str | int]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def cosign_tag(digest: str) -> str:
    """Return the tag under which cosign keeps signatures of an image in its old format.

    https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
    """
    return f"{referrers_tag(digest)}.sig"


def referrers_tag(digest: str) -> str:
    """Return the tag that lists what refers to a manifest where a registry cannot tell.

    See "Referrers Tag Schema" in the OCI distribution specification.
    """
    return digest.replace(":", "-")


@dataclass(frozen=True)
class Reference:
    """An image's full name; `tag` and `digest` are empty where it has none."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a name as Docker and the kubelet do.

        The part before the first slash is the host when it holds a dot, a colon or an
        upper-case letter, or is `localhost`; else the host is docker.io, whose official images
        lie in `library/`. A name without tag and digest means `latest`.
        Raises HarnessError for what is no reference.
        """
        name, at, digest = text.partition("@")
        host, repository = _split_host(name)
        repository, colon, tag = repository.partition(":")
        valid = (
            _HOST.fullmatch(host)
            and _REPOSITORY.fullmatch(repository)
            and (not colon or _TAG.fullmatch(tag))
            and (not at or _DIGEST.fullmatch(digest))
        )
        if not valid:
            raise HarnessError(
                f"{text!r} is not an image reference",
                remedy="write it as host:port/repository:tag or host:port/repository@sha256:...",
            )
        if host == _DEFAULT_HOST and "/" not in repository:
            repository = f"{_DEFAULT_NAMESPACE}/{repository}"
        return cls(host, repository, tag if tag or digest else "latest", digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.host}/{self.repository}{tag}{digest}"


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    names_a_host = bool(re.search(r"[.:A-Z]", first)) or first == "localhost"
    if not slash or not names_a_host:
        return _DEFAULT_HOST, name
    return (_DEFAULT_HOST if first == _FORMER_DEFAULT_HOST else first), rest
