from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from harness.command import run
from harness.debian import unpack
from harness.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")

CONTROL = """\
Package: sample
Version: 1
Architecture: all
Maintainer: Nobody <nobody@example.test>
Description: made by a test
"""


def package(folder: Path, files: dict[str, bytes]) -> Path:
    """Build a package with these files; paths that end in a slash are folders."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(CONTROL)
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    (tree / "usr").mkdir(exist_ok=True)
    deb = folder / "sample.deb"
    run(["dpkg-deb", "--root-owner-group", "--build", tree, deb], timeout_seconds=30)
    return deb


def test_files_of_old_places_land_below_usr(tmp_path: Path) -> None:
    deb = package(tmp_path, {"lib/part/module": b"m", "bin/tool": b"t", "usr/bin/other": b"o"})
    root = tmp_path / "root"

    unpack([deb], into=root)

    assert (root / "lib").is_symlink()
    assert (root / "usr/lib/part/module").read_bytes() == b"m"
    assert sorted(path.name for path in (root / "usr/bin").iterdir()) == ["other", "tool"]


def test_links_are_relative_so_that_the_root_can_move(tmp_path: Path) -> None:
    root = tmp_path / "root"

    unpack([], into=root)

    links = {name: str((root / name).readlink()) for name in ("bin", "sbin", "lib", "lib64")}
    assert links == {name: f"usr/{name}" for name in links}


def test_unpacking_twice_changes_nothing(tmp_path: Path) -> None:
    deb = package(tmp_path, {"lib/module": b"m"})
    root = tmp_path / "root"

    unpack([deb], into=root)
    unpack([deb], into=root)

    assert (root / "usr/lib/module").read_bytes() == b"m"
    assert (root / "lib").is_symlink()


def test_modes_are_kept(tmp_path: Path) -> None:
    deb = package(tmp_path, {"usr/bin/plain": b""})
    tree = tmp_path / "tree"
    (tree / "usr/bin/plain").chmod(0o4751)
    run(["dpkg-deb", "--root-owner-group", "--build", tree, deb], timeout_seconds=30)

    unpack([deb], into=tmp_path / "root")

    assert stat.S_IMODE((tmp_path / "root/usr/bin/plain").stat().st_mode) == 0o4751


def test_file_that_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"nothing")

    with pytest.raises(CommandError, match=r"x\.deb"):
        unpack([tmp_path / "x.deb"], into=tmp_path / "root")
