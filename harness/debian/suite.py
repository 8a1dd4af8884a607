"""The Debian suites that packages are taken from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Suite(StrEnum):
    """A suite of the Debian archive, named as the archive names it."""

    BOOKWORM = "bookworm"
    TRIXIE = "trixie"
    SID = "sid"


def host_suite(os_release: Path) -> Suite | None:
    """Return the suite that this machine was installed from, None where it is another system.

    `os_release` is the file of os-release(5). Debian's newer releases than those known here
    count as sid, whose libraries are at least as new as theirs.
    """
    if not os_release.exists():
        return None
    fields = dict(
        line.split("=", 1) for line in os_release.read_text("utf-8").splitlines() if "=" in line
    )
    if fields.get("ID", "").strip('"') != "debian":
        return None
    codename = fields.get("VERSION_CODENAME", "").strip('"')
    if codename in Suite.__members__.values():
        return Suite(codename)
    return None if codename in ("buster", "bullseye") else Suite.SID
