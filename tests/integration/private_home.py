"""Homes of tests: they share the user's downloaded packages and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.debian import host_suite
from harness.home import Home

needs_private_engine = pytest.mark.skipif(
    os.geteuid() != 0 or host_suite(Path("/etc/os-release")) is None,
    reason="a private engine takes root on a Debian system",
)


def private_home(root: Path | None = None) -> Home:
    """Return a home below a folder that knows the packages of the user's own, or that one."""
    own = Home.locate(os.environ)
    if root is None:
        return own
    own.packages.mkdir(parents=True, exist_ok=True)
    (root / "packages").symlink_to(own.packages)
    return Home(root)


def copy_programs(source: Home, target: Home) -> None:
    """Spare a second home the unpacking of the engine's programs: the files are linked."""
    for programs in source.engine.glob("programs-*"):
        shutil.copytree(
            programs, target.engine / programs.name, symlinks=True, copy_function=os.link
        )
