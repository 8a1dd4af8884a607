"""Operations of the OCI distribution protocol on one registry.

Paths, statuses and headers: https://github.com/opencontainers/distribution-spec (spec.md).
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from harness import oci
from harness.diagnosis import diagnose_response
from harness.distribution_api.transport import Endpoint, Transport
from harness.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.diagnosis import Diagnosis
    from harness.secret import Credentials

_PART_BYTES: Final = 1024 * 1024
_PAGE_ENTRIES: Final = 1000
_MAX_PAGES: Final = 100
_MANIFEST_TYPES: Final = ", ".join(
    (
        oci.MANIFEST_TYPE,
        oci.INDEX_TYPE,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


@dataclass(frozen=True)
class Ping:
    """The answer to `GET /v2/`; header names are in lower case."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Upload:
    """A begun upload: the Location header as the registry sent it, and all headers.

    Header names are in lower case.
    """

    location: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was served; `digest` is computed from its bytes.

    `claimed_digest` is the Docker-Content-Digest header, empty where there was none.
    """

    content: bytes = field(repr=False)
    media_type: str
    digest: str
    claimed_digest: str


@dataclass(frozen=True)
class BlobRead:
    """A blob that was read to its end and thrown away; `digest` is computed from its bytes.

    `first_byte_seconds` and `duration_seconds` count from the sending of the request.
    """

    digest: str
    size: int
    first_byte_seconds: float
    duration_seconds: float


class DistributionAPI:
    """One registry, reached as one user or anonymously; usable from many threads at once.

    All methods raise RegistryError when the registry cannot be reached or trusted, and its
    kind UnexpectedStatusError when it answers with another status than the protocol promises.
    """

    def __init__(self, endpoint: Endpoint, credentials: Credentials | None = None) -> None:
        self._transport = Transport(endpoint, credentials)

    def ping(self) -> Ping:
        """Ask `GET /v2/` and return whatever status comes."""
        response = self._transport.send("GET", "/v2/")
        return Ping(response.status, _headers(response.headers))

    def push(
        self, image: oci.Image | oci.Index, repository: str, tag: str, *, chunk_bytes: int = 0
    ) -> str:
        """Push an image, or an index with its images, and return `host/repository@digest`.

        Blobs that the repository holds already are not sent again; others are sent as `push_blob`
        tells. The images of an index are pushed by digest.
        """
        if isinstance(image, oci.Index):
            for entry in image.images:
                self._push_image(entry, repository, entry.digest, chunk_bytes)
            self.put_manifest(image.manifest, repository, tag)
        else:
            self._push_image(image, repository, tag, chunk_bytes)
        return f"{self._transport.endpoint.host}/{repository}@{image.digest}"

    def _push_image(
        self, image: oci.Image, repository: str, reference: str, chunk_bytes: int
    ) -> None:
        for blob in (*image.layers, image.config):
            if not self.blob_exists(repository, blob.digest):
                self.push_blob(repository, blob, chunk_bytes=chunk_bytes)
        self.put_manifest(image.manifest, repository, reference)

    def put_manifest(self, manifest: oci.Blob, repository: str, reference: str) -> None:
        """Store a manifest or index under a tag or its digest."""
        self._transport.send(
            "PUT",
            _manifest_path(repository, reference),
            expected={201},
            body=manifest.content,
            headers={"Content-Type": manifest.media_type},
        )

    def push_blob(self, repository: str, blob: oci.Content, *, chunk_bytes: int = 0) -> None:
        """Upload a blob: in one request, or in chunks of `chunk_bytes` where that is not 0.

        What a blob does not hold in memory is sent as it is made, 1 MiB at a time.
        """
        location = self.start_upload(repository).location
        rest, rest_bytes = blob.parts(_PART_BYTES), blob.size
        if chunk_bytes:
            for number, chunk in enumerate(blob.parts(chunk_bytes)):
                location = self.send_chunk(location, chunk, number * chunk_bytes)
            rest, rest_bytes = iter(()), 0
        self._finish(location, blob.digest, rest, rest_bytes)

    def start_upload(self, repository: str) -> Upload:
        """Begin an upload and return what the registry said, its Location unchanged."""
        path = f"/v2/{quote(repository)}/blobs/uploads/"
        response = self._transport.send("POST", path, expected={202})
        headers = _headers(response.headers)
        if "location" not in headers:
            raise RegistryError(f"POST {path}: answered without a Location header")
        return Upload(headers["location"], headers)

    def send_chunk(self, location: str, chunk: bytes, start: int) -> str:
        """Send the bytes of an upload from `start` on; return where to send the next ones."""
        response = self._transport.send(
            "PATCH",
            self._transport.path_of(location),
            expected={202},
            body=chunk,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{start}-{start + len(chunk) - 1}",
            },
        )
        return response.headers.get("Location", location)

    def finish_upload(self, location: str, digest: str, rest: bytes = b"") -> None:
        """Send what an upload lacks, and have it kept under its digest."""
        self._finish(location, digest, (rest,), len(rest))

    def _finish(self, location: str, digest: str, rest: Iterable[bytes], rest_bytes: int) -> None:
        path = self._transport.path_of(location)
        separator = "&" if "?" in path else "?"
        self._transport.send(
            "PUT",
            f"{path}{separator}{urlencode({'digest': digest})}",
            expected={201},
            body=rest,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(rest_bytes),
            },
        )

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Fetch a manifest or index by tag or digest, as the registry stores it."""
        response = self._transport.send(
            "GET",
            _manifest_path(repository, reference),
            expected={200},
            headers={"Accept": _MANIFEST_TYPES},
        )
        return Manifest(
            content=response.data,
            media_type=response.headers.get("Content-Type", ""),
            digest=oci.sha256_digest(response.data),
            claimed_digest=response.headers.get("Docker-Content-Digest", ""),
        )

    def blob(self, repository: str, digest: str) -> BlobRead:
        """Read a blob to its end, hashing it; no more than 1 MiB of it is in memory."""
        started = time.monotonic()
        with self._transport.stream(
            "GET", _blob_path(repository, digest), expected={200}
        ) as response:
            first = response.read(1)
            first_byte_seconds = time.monotonic() - started
            hashed, size = hashlib.sha256(first), len(first)
            for part in response.stream(_PART_BYTES):
                hashed.update(part)
                size += len(part)
        return BlobRead(
            digest=f"sha256:{hashed.hexdigest()}",
            size=size,
            first_byte_seconds=first_byte_seconds,
            duration_seconds=time.monotonic() - started,
        )

    def redirect(self, repository: str, digest: str) -> str:
        """Return where a reader of a blob is sent, empty where the registry serves it itself."""
        with self._transport.stream(
            "GET", _blob_path(repository, digest), expected={200, 307}
        ) as response:
            return response.headers.get("Location", "") if response.status != 200 else ""  # noqa: PLR2004 - a status

    @contextmanager
    def reading(self, repository: str, digest: str) -> Iterator[None]:
        """Begin to read a blob and hold still after its first byte until the block ends."""
        with self._transport.stream(
            "GET", _blob_path(repository, digest), expected={200}
        ) as response:
            response.read(1)
            yield

    def blob_exists(self, repository: str, digest: str) -> bool:
        """Tell whether a repository holds a blob."""
        return self._exists(_blob_path(repository, digest))

    def manifest_exists(self, repository: str, reference: str) -> bool:
        """Tell whether a repository holds a manifest under a tag or digest."""
        return self._exists(_manifest_path(repository, reference), accept=_MANIFEST_TYPES)

    def refusal(self, repository: str, reference: str) -> Diagnosis | None:
        """Return why a manifest is refused, None where it is served."""
        response = self._transport.send(
            "GET", _manifest_path(repository, reference), headers={"Accept": _MANIFEST_TYPES}
        )
        if response.status < HTTPStatus.BAD_REQUEST:
            return None
        return diagnose_response(response.status, response.data, response.headers)

    def _exists(self, path: str, accept: str = "*/*") -> bool:
        response = self._transport.send(
            "HEAD", path, expected={200, 404}, headers={"Accept": accept}
        )
        return response.status == 200  # noqa: PLR2004 - a status

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return all tags of a repository, sorted."""
        return _sorted(self.tag_pages(repository))

    def tag_pages(
        self, repository: str, *, entries: int = _PAGE_ENTRIES, last: str = ""
    ) -> tuple[tuple[str, ...], ...]:
        """Return a repository's tags as they are served, asking for so many in each page.

        The list begins behind the tag `last`, where one is given; each page leads to the next
        by its Link header.
        """
        return self._pages(f"/v2/{quote(repository)}/tags/list", "tags", entries, last)

    def catalog(self) -> tuple[str, ...]:
        """Return the names of all repositories, sorted."""
        return _sorted(self._pages("/v2/_catalog", "repositories", _PAGE_ENTRIES))

    def _pages(
        self, path: str, key: str, entries: int, last: str = ""
    ) -> tuple[tuple[str, ...], ...]:
        found: list[tuple[str, ...]] = []
        page = f"{path}?{urlencode({'n': entries} | ({'last': last} if last else {}))}"
        for _ in range(_MAX_PAGES):
            response = self._transport.send("GET", page, expected={200})
            found.append(_entries(response.data, key, path))
            link = response.headers.get("Link", "")
            if not link:
                return tuple(found)
            page = self._transport.path_of(link.partition("<")[2].partition(">")[0])
        raise RegistryError(f"GET {path}: the list did not end after {_MAX_PAGES} pages")

    def referrers(self, repository: str, digest: str) -> tuple[str, ...]:
        """Return the digests of manifests that refer to one, sorted.

        A registry that cannot tell keeps them in an index under a tag of the digest.
        """
        path = f"/v2/{quote(repository)}/referrers/{quote(digest, safe=':')}"
        response = self._transport.send(
            "GET", path, expected={200, 404}, headers={"Accept": oci.INDEX_TYPE}
        )
        content = response.data
        if response.status == HTTPStatus.NOT_FOUND:
            tag = oci.referrers_tag(digest)
            if not self.manifest_exists(repository, tag):
                return ()
            content = self.manifest(repository, tag).content
        return tuple(sorted(oci.links(content).manifests))

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Delete a manifest and with it all its tags."""
        self._transport.send("DELETE", _manifest_path(repository, digest), expected={202})


def _sorted(pages: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(sorted(entry for page in pages for entry in page))


def _entries(body: bytes, key: str, path: str) -> tuple[str, ...]:
    try:
        # The list is null for a repository whose last tag was deleted.
        return tuple(str(entry) for entry in json.loads(body)[key] or ())
    except (ValueError, LookupError, TypeError) as error:
        raise RegistryError(f"GET {path}: the answer holds no list {key!r}") from error


def _manifest_path(repository: str, reference: str) -> str:
    return f"/v2/{quote(repository)}/manifests/{quote(reference, safe=':')}"


def _blob_path(repository: str, digest: str) -> str:
    return f"/v2/{quote(repository)}/blobs/{quote(digest, safe=':')}"


def _headers(received: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in received.items()}
