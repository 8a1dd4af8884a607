from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.debian.suite import Suite, host_suite

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "suite"),
    [
        ("ID=debian\nVERSION_CODENAME=bookworm\n", Suite.BOOKWORM),
        ('# comment\n\nID="debian"\nVERSION_CODENAME="trixie"\n', Suite.TRIXIE),
        ("ID=debian\nVERSION_CODENAME=forky\n", Suite.SID),
        ("ID=debian\n", Suite.SID),
        ("ID=debian\nVERSION_CODENAME=bullseye\n", None),
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n", None),
        ("", None),
    ],
)
def test_suite_of_the_machine_is_read(tmp_path: Path, text: str, suite: Suite | None) -> None:
    file = tmp_path / "os-release"
    file.write_text(text)

    assert host_suite(file) is suite


def test_machine_that_does_not_name_itself_has_no_suite(tmp_path: Path) -> None:
    assert host_suite(tmp_path / "absent") is None
