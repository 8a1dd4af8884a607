"""Unpack Debian packages into the root of a file system, without installing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.command import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MERGED = ("bin", "sbin", "lib", "lib64")


def unpack(debs: Sequence[Path], *, into: Path, timeout_seconds: float = 120) -> None:
    """Unpack packages into a root whose /bin, /sbin, /lib and /lib64 are links into /usr.

    No maintainer script runs. Owners are kept when root unpacks. `timeout_seconds` bounds
    each package. Raises CommandError for a file that is no Debian package.
    """
    for name in _MERGED:
        (into / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (into / name).is_symlink():
            (into / name).symlink_to(f"usr/{name}")
    # `dpkg-deb --extract` replaces a link by a folder where a package ships /lib itself.
    extract = ["tar", "--extract", "--preserve-permissions", "--numeric-owner"]
    extract += ["--keep-directory-symlink", "--warning=no-timestamp", "--file", "-"]
    for deb in debs:
        content = run(["dpkg-deb", "--fsys-tarfile", deb], timeout_seconds=timeout_seconds).stdout
        run([*extract, "--directory", into], stdin=content, timeout_seconds=timeout_seconds)
