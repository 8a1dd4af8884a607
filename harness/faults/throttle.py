"""Limits of what a container's control group reads from a disk and writes to it.

https://docs.kernel.org/admin-guide/cgroup-v1/blkio-controller.html and
https://docs.kernel.org/admin-guide/cgroup-v2.html#io-interface-files
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.errors import EngineError
from harness.faults.unsupported import UnsupportedFaultError

_CGROUPS: Final = Path("/sys/fs/cgroup")
_V1_FILES: Final = ("blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device")
_V2_FILE: Final = "io.max"


def disk_of(device: str) -> str:
    """Return major:minor of the disk that a file system of that device lies on.

    Raises UnsupportedFaultError where it lies on none, such as a tmpfs.
    """
    block = Path("/sys/dev/block") / device
    if not block.exists():
        raise UnsupportedFaultError(
            f"the storage is on no disk (device {device})",
            remedy="keep the engine's data on a file system of one disk",
        )
    whole = block.resolve().parent if (block / "partition").exists() else block
    return (whole / "dev").read_text().strip()


def limit(process: int, disk: str, bytes_per_second: int) -> None:
    """Limit the group of a container's first process. Raises UnsupportedFaultError."""
    files = _files(process)
    if not files:
        raise UnsupportedFaultError(
            "containers have no limits of their disk here",
            remedy="use a kernel with CONFIG_BLK_DEV_THROTTLING and the control group blkio or io",
        )
    for file in files:
        version_2 = file.name == _V2_FILE
        rate = f"rbps={bytes_per_second} wbps={bytes_per_second}" if version_2 else bytes_per_second
        _write(file, f"{disk} {rate}")


def lift(process: int) -> None:
    """Lift all limits of the group; harmless where there are none."""
    for file in _files(process):
        for line in file.read_text().splitlines():
            disk = line.split()[0]
            _write(file, f"{disk} {'rbps=max wbps=max' if file.name == _V2_FILE else 0}")


def is_limited(process: int) -> bool:
    """Whether the group has a limit for any disk."""
    return any(file.read_text().strip() for file in _files(process))


def _files(process: int) -> tuple[Path, ...]:
    """Return the files by which a process's group is limited; none where the kernel cannot."""
    try:
        lines = Path(f"/proc/{process}/cgroup").read_text().splitlines()
    except OSError as error:
        raise EngineError(f"process {process} does not show its group: {error}") from error
    groups = {
        kinds: group.lstrip("/") for _, kinds, group in (line.split(":", 2) for line in lines)
    }
    version_1 = [group for kinds, group in groups.items() if "blkio" in kinds.split(",")]
    if version_1:
        files = tuple(_CGROUPS / "blkio" / version_1[0] / name for name in _V1_FILES)
    else:
        files = (_CGROUPS / groups.get("", "") / _V2_FILE,)
    return files if all(file.exists() for file in files) else ()


def _write(file: Path, line: str) -> None:
    try:
        file.write_text(line)
    except OSError as error:
        raise EngineError(f"the kernel refuses {line!r} in {file}: {error}") from error
