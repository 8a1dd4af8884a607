from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.debian.sources import Archive, find_archive, parse
from harness.debian.suite import Suite
from harness.errors import PackageError

if TYPE_CHECKING:
    from pathlib import Path

KEYS = "/usr/share/keyrings/archive.gpg"


def stanza(**changed: str) -> str:
    fields = {
        "Types": "deb",
        "URIs": "http://mirror.test/debian",
        "Suites": "bookworm bookworm-updates",
        "Components": "main",
        "Signed-By": KEYS,
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def archives(text: str, *, deb822: bool = True) -> list[Archive]:
    return list(parse(text, deb822=deb822))


def test_stanza_of_the_archive_is_read() -> None:
    assert archives(stanza()) == [Archive("http://mirror.test/debian", KEYS)]


def test_stanzas_are_separated_by_empty_lines_and_comments_are_ignored() -> None:
    text = f"# written by hand\n{stanza()}# a comment within\n \n\n{stanza(URIs='http://b.test/debian/')}"

    assert [archive.uri for archive in archives(text)] == [
        "http://mirror.test/debian",
        "http://b.test/debian/",
    ]


def test_comment_within_a_stanza_does_not_end_it() -> None:
    text = (
        "Types: deb\n# URIs: http://old.test/debian\nURIs: http://mirror.test/debian\nSuites: sid\n"
    )

    assert archives(text) == [Archive("http://mirror.test/debian", "")]


@pytest.mark.parametrize(
    "text",
    [
        stanza(URIs="http://mirror.test/debian-security", Suites="bookworm-security"),
        stanza(Suites="bookworm-updates bookworm-backports"),
        stanza(Suites="stable/updates"),
        stanza(Types="deb-src"),
        stanza(Enabled="no"),
        stanza(URIs="https://packages.test/apt"),
        stanza(URIs=""),
        "no field at all\n",
        "",
    ],
)
def test_other_stanzas_are_left_out(text: str) -> None:
    assert archives(text) == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://mirror.test/debian/",
        "https://snapshot.test/archive/debian/20250520T000000Z",
        "mirror+file:///etc/apt/mirrors/debian.list",
    ],
)
def test_archive_is_known_by_its_path(uri: str) -> None:
    assert archives(stanza(URIs=uri)) == [Archive(uri, KEYS)]


def test_inline_key_is_kept_with_its_indented_lines() -> None:
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n -----END PGP PUBLIC KEY BLOCK-----"

    (archive,) = archives(stanza(Signed_By=key))

    assert archive.signed_by == key
    assert archive.stanza(Suite.SID).endswith(f"Signed-By: {key}\n")


@pytest.mark.parametrize(
    ("line", "signed_by"),
    [
        ("deb http://mirror.test/debian bookworm main contrib", ""),
        ("deb [signed-by=/a.gpg] http://mirror.test/debian bookworm main", "/a.gpg"),
        (
            "  deb [ arch=amd64 signed-by=/a.gpg,/b.gpg ] http://mirror.test/debian sid main",
            "/a.gpg /b.gpg",
        ),
        ("deb [arch=amd64] http://mirror.test/debian bookworm main", ""),
    ],
)
def test_line_of_the_archive_is_read(line: str, signed_by: str) -> None:
    assert archives(line, deb822=False) == [Archive("http://mirror.test/debian", signed_by)]


@pytest.mark.parametrize(
    "line",
    [
        "# deb http://mirror.test/debian bookworm main",
        "deb-src http://mirror.test/debian bookworm main",
        "deb http://mirror.test/debian-security bookworm-security main",
        "deb http://mirror.test/debian bookworm-updates main",
        "deb https://packages.test/apt stable main",
        "",
    ],
)
def test_other_lines_are_left_out(line: str) -> None:
    assert archives(line, deb822=False) == []


def test_stanza_for_another_suite_keeps_mirror_and_keys() -> None:
    assert Archive("http://mirror.test/debian", KEYS).stanza(Suite.TRIXIE) == (
        "Types: deb\nURIs: http://mirror.test/debian\nSuites: trixie\nComponents: main\n"
        f"Signed-By: {KEYS}\n"
    )


def test_stanza_without_keys_leaves_the_choice_to_apt() -> None:
    assert "Signed-By" not in Archive("http://mirror.test/debian", "").stanza(Suite.SID)


def test_archive_is_found_among_files_of_both_forms(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "a.list").write_text("deb https://packages.test/apt stable main\n")
    (parts / "b.sources").write_text(stanza())

    assert find_archive(tmp_path) == Archive("http://mirror.test/debian", KEYS)


def test_main_list_comes_first(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://main.test/debian sid main\n")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "b.sources").write_text(stanza())

    assert find_archive(tmp_path).uri == "http://main.test/debian"


def test_machine_without_the_archive_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no Debian archive") as caught:
        find_archive(tmp_path)

    assert "install Docker 23" in caught.value.remedy


def test_disabled_files_are_not_sources(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "old.sources.disabled").write_text(stanza())
    (parts / "old.list.save").write_text("deb http://old.test/debian sid main\n")

    with pytest.raises(PackageError):
        find_archive(tmp_path)
