"""File systems as a container sees them: what is mounted where, and changes of that.

Changes are made in the container's own mount namespace, so that nobody else sees them, and they
vanish when the container ends, also when it starts again.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from harness.engine.namespace import network_namespace
from harness.errors import EngineError
from harness.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.engine.containers import Container

T = TypeVar("T")

# linux/sched.h and linux/mount.h
_CLONE_FS: Final = 0x200
_CLONE_NEWNS: Final = 0x20000
_READ_ONLY: Final = 1
_REMOUNT: Final = 32
_BIND: Final = 4096
_DETACH: Final = 2


@dataclass(frozen=True)
class Mount:
    """One line of a process's /proc/PID/mountinfo, see proc_pid_mountinfo(5).

    `device` is major:minor of the file system, `kind` its type, `source` what was mounted.
    """

    device: str
    folder: str
    read_only: bool
    kind: str
    source: str


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Read a mountinfo file; a later mount covers an earlier one of the same folder."""
    return tuple(_parsed(line) for line in text.splitlines())


def process_of(container: Container) -> int | None:
    """Return the number of a container's first process on this machine, None without one.

    Raises EngineError when its engine is on another machine, where that number may be somebody
    else's.
    """
    namespace, pid = network_namespace(container), container.pid
    if namespace is None or pid == 0:
        return None
    try:
        return pid if Path(f"/proc/{pid}/ns/net").samefile(namespace) else None
    except FileNotFoundError:  # it has ended since
        return None


def mounted_at(process: int, folder: str) -> Mount:
    """Return what a process sees at a folder. Raises EngineError when nothing is mounted there."""
    try:
        mounts = parse_mounts(Path(f"/proc/{process}/mountinfo").read_text())
    except OSError as error:
        raise EngineError(f"process {process} does not show its file systems: {error}") from error
    found = [mount for mount in mounts if mount.folder == folder]
    if not found:
        raise EngineError(f"no file system of its own is mounted at {folder} of process {process}")
    return found[-1]


def within_mounts(process: int, work: Callable[[], T]) -> T:
    """Call `work` where it sees the file systems of a process.

    That is a thread of its own, whose root and working folder nobody shares any more. `work`
    must import nothing: the container has no modules of ours. Raises EngineError when we may
    not enter.
    """

    def enter_and_work() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        namespace = os.open(f"/proc/{process}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _require(libc.unshare(_CLONE_FS), "enter the file systems of a container")
            _require(libc.setns(namespace, _CLONE_NEWNS), "enter the file systems of a container")
        finally:
            os.close(namespace)
        return work()

    with Pool(1) as pool:
        return pool.submit(enter_and_work).result()


def mount(source: str, folder: str, kind: str, options: str) -> None:
    """Have a file system at a folder. Raises EngineError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(source.encode(), folder.encode(), kind.encode(), 0, options.encode())
    _require(done, f"mount {kind} at {folder}")


def unmount(folder: str) -> None:
    """Unmount what is at a folder; files that are open there stay open until they are closed."""
    libc = ctypes.CDLL(None, use_errno=True)
    _require(libc.umount2(folder.encode(), _DETACH), f"unmount {folder}")


def remount(folder: str, *, read_only: bool) -> None:
    """Let nothing be written below a folder any more, or let it again.

    Raises OSError with EBUSY while a file is open for writing there.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _REMOUNT | _BIND | (_READ_ONLY if read_only else 0)
    if libc.mount(None, folder.encode(), None, flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), folder)


def write_out(folder: Path) -> None:
    """Have all that is to be written to a folder's file system written, see syncfs(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _require(libc.syncfs(opened), f"write out {folder}")
    finally:
        os.close(opened)


def _parsed(line: str) -> Mount:
    """Read one line: fields of its own, optional ones, a hyphen, fields of the file system."""
    own, _, rest = line.partition(" - ")
    device, folder, options = (own.split()[index] for index in (2, 4, 5))
    kind, source = rest.split()[:2]
    # octal escapes of space, tab, newline and backslash
    plain = folder.encode().decode("unicode_escape")
    return Mount(device, plain, "ro" in options.split(","), kind, source)


def _require(status: int, what: str) -> None:
    if status != 0:
        reason = os.strerror(ctypes.get_errno())
        raise EngineError(f"cannot {what}: {reason}", remedy="run as root")
