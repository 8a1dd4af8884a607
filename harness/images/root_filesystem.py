"""A root file system from Debian packages, as a stream of tar without touching the disk."""

from __future__ import annotations

import io
import stat
import tarfile
from typing import IO, TYPE_CHECKING

from harness.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.images.recipe import Build

_CHUNK_BYTES = 1 << 20
# Debian has merged these into /usr; older packages still name the short paths.
_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_NOT_NEEDED_TO_RUN = tuple(
    f"usr/share/{name}"
    for name in ("bash-completion", "bug", "doc", "doc-base", "info", "lintian", "locale", "man")
)
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60


def root_filesystem(
    build: Build, packages: Iterable[Path], compiled: Iterable[Path] = ()
) -> Iterator[bytes]:
    """Yield the image's root file system as an uncompressed tar archive.

    The same packages, programs and recipe give the same bytes: packages in the order of their
    file names, no times, no user names. No script of a package runs. `compiled` programs lie
    in /usr/bin. Raises ImageError when a package cannot be read.
    """
    layers = _Layers(build)
    yield from layers.skeleton()
    for program in sorted(compiled, key=lambda path: path.name):
        yield from layers.program(program)
    for package in sorted(packages, key=lambda path: path.name):
        yield from layers.unpacked(package)
    yield tarfile.NUL * (2 * tarfile.BLOCKSIZE)


class _Layers:
    """What is already in the archive, so that the recipe's entries win over the packages'."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._omitted = _NOT_NEEDED_TO_RUN + tuple(path[1:] for path in build.omit)
        self._seen: set[str] = set()

    def skeleton(self) -> Iterator[bytes]:
        for name in _MERGED:
            yield from self._link(name, f"usr/{name}")
        for name in ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var"):
            yield from self._directory(name, 0o1777 if name == "tmp" else 0o755)
        for name in (*(f"usr/{merged}" for merged in _MERGED), "var/lib", "var/tmp"):
            yield from self._directory(name, 0o1777 if name == "var/tmp" else 0o755)
        yield from self._link("var/run", "/run")
        for path in self._build.directories:
            yield from self._directory(path[1:], 0o755)
        for path, target in self._build.links:
            yield from self._link(path[1:], target)
        for mode, texts in ((0o644, self._build.files), (0o755, self._build.programs)):
            for path, text in texts:
                content = text.encode()
                member = _entry(path[1:], tarfile.REGTYPE, mode)
                member.size = len(content)
                yield from self._member(member, io.BytesIO(content))

    def program(self, path: Path) -> Iterator[bytes]:
        member = _entry(f"usr/bin/{path.name}", tarfile.REGTYPE, 0o755)
        member.size = path.stat().st_size
        with path.open("rb") as content:
            yield from self._member(member, content)

    def unpacked(self, package: Path) -> Iterator[bytes]:
        try:
            with _data(package) as archive:
                for found in archive:
                    yield from self._from_package(archive, found)
        except (OSError, EOFError, ValueError, tarfile.TarError) as error:
            raise ImageError(f"{package}: not a readable Debian package: {error}") from error

    def _from_package(self, archive: tarfile.TarFile, found: tarfile.TarInfo) -> Iterator[bytes]:
        name = _merged(found.name)
        if not name or self._is_omitted(name):
            return
        member = _entry(name, found.type, stat.S_IMODE(found.mode))
        member.uid, member.gid, member.size = found.uid, found.gid, found.size
        member.linkname = _merged(found.linkname) if found.islnk() else found.linkname
        yield from self._member(member, archive.extractfile(found) if found.isreg() else None)

    def _is_omitted(self, name: str) -> bool:
        return any(name == path or name.startswith(f"{path}/") for path in self._omitted)

    def _directory(self, name: str, mode: int) -> Iterator[bytes]:
        yield from self._member(_entry(name, tarfile.DIRTYPE, mode), None)

    def _link(self, name: str, target: str) -> Iterator[bytes]:
        member = _entry(name, tarfile.SYMTYPE, 0o777)
        member.linkname = target
        yield from self._member(member, None)

    def _member(self, member: tarfile.TarInfo, content: IO[bytes] | None) -> Iterator[bytes]:
        if member.name in self._seen:
            return
        self._seen.add(member.name)
        yield member.tobuf(tarfile.GNU_FORMAT)
        if content is not None:
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk
            yield tarfile.NUL * (-member.size % tarfile.BLOCKSIZE)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def _merged(name: str) -> str:
    relative = name.removeprefix("./").strip("/").removeprefix(".")
    first, _, _ = relative.partition("/")
    return f"usr/{relative}" if first in _MERGED else relative


def _data(package: Path) -> tarfile.TarFile:
    """Open the files of a package: an `ar` archive holds them as `data.tar`, compressed."""
    with package.open("rb") as archive:
        if archive.read(len(_AR_MAGIC)) != _AR_MAGIC:
            raise tarfile.ReadError("no ar archive")
        while header := archive.read(_AR_HEADER_BYTES):
            name, size = header[:16].decode("ascii").strip(" /"), int(header[48:58])
            if name.startswith("data.tar"):
                return tarfile.open(fileobj=io.BytesIO(_whole(archive, size)), mode="r:*")
            archive.seek(size + size % 2, io.SEEK_CUR)
    raise tarfile.ReadError("no data.tar in it")


def _whole(archive: IO[bytes], size: int) -> bytes:
    content = archive.read(size)
    if len(content) != size:
        raise tarfile.ReadError(f"{size - len(content)} bytes are missing at its end")
    return content


def software_version(name: str, packages: Sequence[Path]) -> str:
    """Return the name and version of a package, read from its file's name."""
    for package in packages:
        found, _, rest = package.name.partition("_")
        if found == name:
            return f"{name} {rest.rpartition('_')[0].replace('%3a', ':')}"
    raise ImageError(f"package {name} is not among the downloaded ones")
