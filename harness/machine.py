"""What machine a run takes place on; figures compare only between equal ones."""

from __future__ import annotations

import os
import platform
import tomllib
from pathlib import Path

import harness
from harness import command
from harness.errors import CommandError

CHECKOUT = Path(harness.__file__).parent.parent


def kernel() -> str:
    """Return the kernel's release."""
    return platform.release()


def cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def memory_bytes() -> int:
    """Return the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def spare_inotify_instances(proc: Path = Path("/proc")) -> int:
    """Return how many more inotify instances root's processes may have, containers' included.

    The kernel counts them per user, for all containers together (inotify(7)). Those of processes
    that we may not look into are not seen.
    """
    limit = int((proc / "sys/fs/inotify/max_user_instances").read_text())
    return limit - sum(_inotify_instances(process) for process in proc.glob("[0-9]*"))


def _inotify_instances(process: Path) -> int:
    try:
        if process.stat().st_uid != 0:
            return 0
        links = [str(each.readlink()) for each in (process / "fd").iterdir()]
    except OSError:  # it has ended meanwhile, or is not for us to see
        return 0
    return links.count("anon_inode:inotify")


def harness_version() -> str:
    """Return our own version, as pyproject.toml states it."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def harness_commit() -> str:
    """Return the commit of our checkout, empty where git cannot tell."""
    arguments = ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"]
    try:
        return command.run(arguments, timeout_seconds=10).text.strip()
    except CommandError:
        return ""
