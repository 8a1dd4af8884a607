"""Storage of a registry that cannot be written, is full or is slow.

What is changed is what one container sees of its storage: replicas that share it are broken one
by one. It needs root and an engine on this machine, and vanishes when the container ends.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.engine.attaching import attached
from harness.engine.mounts import (
    mount,
    mounted_at,
    process_of,
    remount,
    unmount,
    within_mounts,
    write_out,
)
from harness.errors import EngineError
from harness.faults import throttle
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.engine import ContainerHandle

_QUIET_SECONDS: Final = 10
_FULL: Final = "pullproof-full"
_SCRATCH: Final = f"/run/{_FULL}"
_PAGE_BYTES: Final = 4096


@dataclass(frozen=True)
class ReadOnlyStorage:
    """Nothing can be written to a folder of a container: EROFS, as after an error of a disk."""

    container: ContainerHandle
    folder: str

    @property
    def name(self) -> str:
        """What is wrong."""
        return "with read-only storage"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Make it read-only, in the first moment in which no file is open for writing."""
        with _running(self.container) as process:
            wait_until(
                lambda: within_mounts(process, self._freeze),
                timeout_seconds=_QUIET_SECONDS,
                what=f"no file of {self.subject} to be open for writing",
            )

    def heal(self) -> None:
        """Make it writable."""
        with _process(self.container) as process:
            if process is not None and mounted_at(process, self.folder).read_only:
                within_mounts(process, lambda: remount(self.folder, read_only=False))

    def is_active(self) -> bool:
        """Whether the container sees it read-only."""
        with _process(self.container) as process:
            return process is not None and mounted_at(process, self.folder).read_only

    def _freeze(self) -> bool:
        """Whether it is read-only now."""
        try:
            remount(self.folder, read_only=True)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise EngineError(f"cannot make {self.folder} read-only: {error}") from error
            return False
        return True


@dataclass(frozen=True)
class FullStorage:
    """A folder of a container has no space left: ENOSPC for all that is written anew.

    A file system without any space lies above the real one, which is only read meanwhile. What
    is deleted is there again when the fault has healed. Files that were open for writing before
    are written to their end.
    """

    container: ContainerHandle
    folder: str

    @property
    def name(self) -> str:
        """What is wrong."""
        return "with full storage"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Lay a full file system above it."""
        with _running(self.container) as process:
            within_mounts(process, self._cover)

    def heal(self) -> None:
        """Take it away."""
        with _process(self.container) as process:
            if process is not None and mounted_at(process, self.folder).source == _FULL:
                within_mounts(process, self._uncover)

    def is_active(self) -> bool:
        """Whether the container sees the full file system."""
        with _process(self.container) as process:
            return process is not None and mounted_at(process, self.folder).source == _FULL

    def _cover(self) -> None:
        upper, work = (Path(_SCRATCH) / name for name in ("upper", "work"))
        Path(_SCRATCH).mkdir(exist_ok=True)
        mount(_FULL, _SCRATCH, "tmpfs", "size=16k,nr_inodes=16,mode=0700")
        upper.mkdir()
        work.mkdir()
        options = f"lowerdir={self.folder},upperdir={upper},workdir={work}"
        mount(_FULL, self.folder, "overlay", options)
        _fill(Path(_SCRATCH))

    def _uncover(self) -> None:
        unmount(self.folder)
        unmount(_SCRATCH)
        Path(_SCRATCH).rmdir()


@dataclass(frozen=True)
class SlowStorage:
    """A container reads and writes so many bytes per second, what it logs included.

    What was stored before the fault is read from the disk, not from memory. What is written
    meanwhile is slow to be synced, and read from memory afterwards.
    """

    container: ContainerHandle
    folder: str
    bytes_per_second: int

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"with storage of {self.bytes_per_second / 1024:g} KiB/s"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Limit the disk. Raises UnsupportedFaultError where the storage is on none."""
        with _running(self.container) as process:
            device = throttle.disk_of(mounted_at(process, self.folder).device)
            # first, because what is written meanwhile holds it up as soon as the disk is slow
            _forget(Path(f"/proc/{process}/root{self.folder}"))
            throttle.limit(process, device, self.bytes_per_second)

    def heal(self) -> None:
        """Lift the limit."""
        with _process(self.container) as process:
            if process is not None:
                throttle.lift(process)

    def is_active(self) -> bool:
        """Whether the kernel limits the container now, whatever the rate."""
        with _process(self.container) as process:
            return process is not None and throttle.is_limited(process)


@contextmanager
def _process(handle: ContainerHandle) -> Iterator[int | None]:
    """Give a container's process, None when it does not run."""
    with attached(handle, os.environ) as container:
        yield process_of(container) if container else None


@contextmanager
def _running(handle: ContainerHandle) -> Iterator[int]:
    """Give the process of a container that is about to be broken. Raises EngineError without."""
    with _process(handle) as process:
        if process is None:
            raise EngineError(f"{handle.name} does not run: it has no storage")
        yield process


def _fill(folder: Path) -> None:
    """Leave neither a byte nor a file's place in a small file system."""
    numbers = count()

    def write_page() -> None:
        with (folder / "filler").open("ab") as filler:
            filler.write(bytes(_PAGE_BYTES))

    def make_file() -> None:
        (folder / f"filler-{next(numbers)}").touch()

    _until_full(write_page)
    _until_full(make_file)


def _until_full(write: Callable[[], None]) -> None:
    while True:
        try:
            write()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return
            raise


def _forget(folder: Path) -> None:
    """Have the kernel drop from memory what lies below a folder."""
    write_out(folder)  # all at once: to sync one file after the other takes seconds
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # uploads come and go
                file = os.open(Path(parent) / name, os.O_RDONLY)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(file)
