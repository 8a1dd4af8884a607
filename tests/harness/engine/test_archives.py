from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from harness.engine.archives import is_whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "storage.tar"
    with tarfile.open(file, "w") as tar:
        for name in ("first", "last"):
            member = tarfile.TarInfo(name)
            member.size = 1000
            tar.addfile(member, io.BytesIO(bytes(1000)))
    return file


def test_archive_of_all_files_is_whole(archive: Path) -> None:
    assert is_whole(archive)


# Two blocks of 512 bytes are the files, after a block of header each.
@pytest.mark.parametrize("size", [0, 100, 512, 1024, 3 * 512 + 512, 3 * 512 + 600])
def test_archive_that_ends_amid_a_file_is_torn(archive: Path, size: int) -> None:
    archive.write_bytes(archive.read_bytes()[:size])

    assert not is_whole(archive)
