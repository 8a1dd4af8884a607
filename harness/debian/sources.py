"""Where this machine gets Debian packages from, read from apt's own sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.debian.suite import Suite

# The archive's root, a dated snapshot of it, or a list of mirrors as cloud images have it.
_ARCHIVE = re.compile(r"/debian(/\d{8}T\d{6}Z)?/?$|^mirror\+file:.*/debian\.list$")
_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s")


@dataclass(frozen=True)
class Archive:
    """A mirror of the Debian archive and the keys that must have signed it.

    `signed_by` is written as in a deb822 stanza: paths, fingerprints or a key block whose
    further lines are indented; empty means apt's own trusted keys.
    """

    uri: str
    signed_by: str

    def stanza(self, suite: Suite) -> str:
        """Return the deb822 stanza for one suite of this archive."""
        signed_by = f"Signed-By: {self.signed_by}\n" if self.signed_by else ""
        return f"Types: deb\nURIs: {self.uri}\nSuites: {suite}\nComponents: main\n{signed_by}"


def find_archive(folder: Path) -> Archive:
    """Return the Debian archive among the sources below `folder`, which is apt's `/etc/apt`.

    Raises PackageError where there is none.
    """
    parts = sorted((folder / "sources.list.d").glob("*"))
    for file in (folder / "sources.list", *parts):
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        for archive in parse(file.read_text("utf-8"), deb822=file.suffix == ".sources"):
            return archive
    raise PackageError(
        f"apt's sources below {folder} name no Debian archive",
        remedy="install Docker 23 or newer yourself, or add a Debian mirror to apt's sources",
    )


def parse(text: str, *, deb822: bool) -> Iterator[Archive]:
    """Yield the Debian archives that a sources file names; see sources.list(5) for both forms.

    Security and update suites, disabled stanzas and third parties are left out.
    """
    return _parse_stanzas(text) if deb822 else _parse_lines(text)


def _parse_stanzas(text: str) -> Iterator[Archive]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        if not any(_is_release(suite) for suite in fields.get("suites", "").split()):
            continue
        for uri in fields.get("uris", "").split():
            if _ARCHIVE.search(uri):
                yield Archive(uri, fields.get("signed-by", ""))


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _parse_lines(text: str) -> Iterator[Archive]:
    for line in text.splitlines():
        match = _ONE_LINE.match(line.strip())
        if match and _is_release(match["suite"]) and _ARCHIVE.search(match["uri"]):
            options = re.search(r"signed-by=(\S+)", match["options"] or "")
            yield Archive(match["uri"], options[1].replace(",", " ") if options else "")


def _is_release(suite: str) -> bool:
    return "-" not in suite and "/" not in suite
