"""Files that are written whole or not at all, also when the disk is full."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file so that readers and crashes see all of it or what was there before.

    Raises OSError, such as for a full disk; nothing is left behind then.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def append_whole(path: Path, content: bytes) -> None:
    """Append to a file that nobody else writes, and take back what did not fit.

    Raises OSError, such as for a full disk.
    """
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            file.write(content)
            if file.tell() - before != len(content):
                raise OSError(f"{path.name}: only a part of the line was written")
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


class Reserve:
    """Space on the disk that is kept free for one last document."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self.size = size

    def allocate(self) -> None:
        """Take the space. Raises OSError where there is not enough."""
        with self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.size)

    def become(self, path: Path, content: bytes) -> None:
        """Turn the reserve into the file `path` with `content`, which must fit into it."""
        with self._path.open("r+b") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self._path.replace(path)
        _sync_folder(path.parent)

    def release(self) -> None:
        """Give the space back."""
        self._path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
