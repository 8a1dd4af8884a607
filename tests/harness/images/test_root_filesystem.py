from __future__ import annotations

import dataclasses
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from harness.debian import Suite
from harness.errors import ImageError
from harness.images.recipe import Build
from harness.images.root_filesystem import root_filesystem, software_version

if TYPE_CHECKING:
    from pathlib import Path

BUILD = Build(
    suite=Suite.TRIXIE,
    software="shell",
    packages=("shell",),
    entrypoint=("/bin/sh",),
    directories=("/var/lib/shell",),
    omit=("/usr/bin/big",),
    links=(("/usr/bin/sh", "dash"),),
    files=(("/etc/motd", "ours\n"),),
    programs=(("/usr/bin/greet", "#!/bin/sh\n"),),
)


def entry(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mtime, member.uname = kind, link, 1234567, "builder"
    member.mode = 0o4755
    return member


def package(folder: Path, name: str, entries: dict[tarfile.TarInfo, bytes]) -> Path:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for member, content in entries.items():
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    file = folder / name
    parts = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": data.getvalue()}
    with file.open("wb") as output:
        output.write(b"!<arch>\n")
        for part, content in parts.items():
            output.write(
                f"{part:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
            )
            output.write(content + b"\n" * (len(content) % 2))
    return file


def unpacked(*packages: Path, build: Build = BUILD) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    stream = io.BytesIO(b"".join(root_filesystem(build, packages)))
    with tarfile.open(fileobj=stream) as archive:
        members = archive.getmembers()
        names = [member.name for member in members]
        assert len(names) == len(set(names))
        contents = [archive.extractfile(member) if member.isreg() else None for member in members]
        return {
            member.name: (member, content.read() if content else b"")
            for member, content in zip(members, contents, strict=True)
        }


def test_files_keep_content_mode_and_owner_but_no_time(tmp_path: Path) -> None:
    shell = package(tmp_path, "shell_1_all.deb", {entry("./usr/bin/dash"): b"x" * 3_000_000})

    member, content = unpacked(shell)["usr/bin/dash"]

    assert content == b"x" * 3_000_000
    assert (member.mode, member.uid, member.mtime, member.uname) == (0o4755, 0, 0, "")


def test_old_paths_are_merged_into_usr(tmp_path: Path) -> None:
    hard = entry("./bin/rbash", kind=tarfile.LNKTYPE, link="./bin/bash")
    shell = package(tmp_path, "shell_1_all.deb", {entry("./bin/bash"): b"b", hard: b""})

    found = unpacked(shell)

    assert found["bin"][0].linkname == "usr/bin"
    assert found["usr/bin/bash"][1] == b"b"
    assert found["usr/bin/rbash"][0].linkname == "usr/bin/bash"


def test_recipe_wins_over_packages_and_the_first_package_over_later_ones(tmp_path: Path) -> None:
    first = package(tmp_path, "a_1_all.deb", {entry("./etc/motd"): b"a", entry("./etc/x"): b"a"})
    second = package(tmp_path, "b_1_all.deb", {entry("./etc/x"): b"b"})

    found = unpacked(second, first)

    assert found["etc/motd"][1] == b"ours\n"
    assert found["etc/x"][1] == b"a"
    assert found["usr/bin/sh"][0].linkname == "dash"
    assert found["var/lib/shell"][0].isdir()


def test_documentation_and_omitted_paths_are_left_out(tmp_path: Path) -> None:
    shell = package(
        tmp_path,
        "shell_1_all.deb",
        {
            entry("./", kind=tarfile.DIRTYPE): b"",
            entry("./usr/share/doc/shell/README"): b"long",
            entry("./usr/share/docs"): b"kept",
            entry("./usr/bin/big"): b"big",
            entry("./usr/bin/bigger"): b"kept",
        },
    )

    found = unpacked(shell)

    assert "usr/share/docs" in found
    assert "usr/bin/bigger" in found
    assert not {"usr/share/doc/shell/README", "usr/bin/big", ""} & set(found)


def test_temporary_folders_are_open_to_all() -> None:
    found = unpacked()

    assert [oct(found[name][0].mode) for name in ("tmp", "var/tmp", "etc")] == [
        "0o1777",
        "0o1777",
        "0o755",
    ]


def test_same_packages_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    a = package(tmp_path, "a_1_all.deb", {entry("./etc/a"): b"a"})
    b = package(tmp_path, "b_1_all.deb", {entry("./etc/b"): b"b"})

    assert b"".join(root_filesystem(BUILD, [a, b])) == b"".join(root_filesystem(BUILD, [b, a]))


def test_recipe_alone_makes_a_file_system() -> None:
    bare = dataclasses.replace(BUILD, directories=(), links=(), files=(), omit=())

    assert "usr/bin" in unpacked(build=bare)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>not found</html>", b"!<arch>\n", b"!<arch>\nshort", b"!<arch>\n" + b" " * 60],
)
def test_what_is_no_package_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "shell_1_all.deb"
    file.write_bytes(content)

    with pytest.raises(ImageError, match=r"shell_1_all\.deb: not a readable Debian package"):
        list(root_filesystem(BUILD, [file]))


def test_truncated_package_is_named(tmp_path: Path) -> None:
    shell = package(tmp_path, "shell_1_all.deb", {entry("./usr/bin/dash"): b"x" * 100})
    shell.write_bytes(shell.read_bytes()[:-40])

    with pytest.raises(ImageError, match="not a readable Debian package"):
        list(root_filesystem(BUILD, [shell]))


def test_version_is_read_from_the_packages_file(tmp_path: Path) -> None:
    files = [tmp_path / "libshell_9_amd64.deb", tmp_path / "shell_1%3a2.0~a+b1-3_amd64.deb"]

    assert software_version("shell", files) == "shell 1:2.0~a+b1-3"


def test_missing_package_has_no_version() -> None:
    with pytest.raises(ImageError, match="shell is not among"):
        software_version("shell", [])


def test_programs_of_the_recipe_can_be_executed(tmp_path: Path) -> None:
    shell = package(tmp_path, "shell_1.0_amd64.deb", {})

    member, content = unpacked(shell)["usr/bin/greet"]

    assert member.mode == 0o755
    assert content == b"#!/bin/sh\n"


def test_compiled_programs_lie_on_the_path(tmp_path: Path) -> None:
    program = tmp_path / "kubernetes"
    program.write_bytes(b"ELF")

    stream = io.BytesIO(b"".join(root_filesystem(BUILD, [], [program])))

    with tarfile.open(fileobj=stream) as archive:
        member = archive.getmember("usr/bin/kubernetes")
        assert (member.mode, member.size) == (0o755, 3)
