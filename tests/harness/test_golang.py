from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import CommandError
from harness.golang import Go, GoProgram

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = GoProgram("example.invalid/greeter/v3/cmd/greet", "3.1.2", "example.invalid/x.version")

# Does as `go install` does: puts the program where GOBIN points to, and fills the caches.
GO = """\
#!/bin/sh
mkdir -p "$GOCACHE" "$GOMODCACHE" "$GOPATH/pkg/sumdb"
printf "%s " "$@" >"$GOBIN/greet"
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "go"
    program.write_text(GO)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return Go(tmp_path / "go")


def test_program_is_named_after_its_package() -> None:
    assert PROGRAM.name == "greet"
    assert PROGRAM.source == "example.invalid/greeter/v3/cmd/greet@v3.1.2"


def test_program_is_compiled_once_and_told_its_version(go: Go, tmp_path: Path) -> None:
    told: list[str] = []

    first, again = (
        go.install(PROGRAM, into=tmp_path / "compiled", announce=told.append) for _ in range(2)
    )

    assert first == again
    assert first.read_text().split() == [
        *("install", "-ldflags", "-s", "-w", "-X", "example.invalid/x.version=v3.1.2"),
        PROGRAM.source,
    ]
    assert [line.split()[0] for line in told] == ["compiling", "compiled"]
    assert " s" in told[1]


def test_caches_are_removed_and_the_program_stays(go: Go, tmp_path: Path) -> None:
    program = go.install(PROGRAM, into=tmp_path / "compiled", announce=print)

    assert program.exists()
    assert not go.modules.exists()
    assert sorted(path.name for path in go.folder.iterdir()) == ["lock"]


def test_another_version_is_another_program(go: Go, tmp_path: Path) -> None:
    other = GoProgram(PROGRAM.package, "3.1.3", PROGRAM.told)

    programs = {go.install(program, into=tmp_path, announce=print) for program in (PROGRAM, other)}

    assert len(programs) == 2


def test_what_was_interrupted_is_no_program(tmp_path: Path, go: Go) -> None:
    finished = go.install(PROGRAM, into=tmp_path / "compiled", announce=print)
    finished.parent.rename(finished.parent.with_name(f"{finished.parent.name}.draft"))

    assert go.install(PROGRAM, into=tmp_path / "compiled", announce=print) == finished
    assert finished.exists()


def test_machine_without_go_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="go: command not found"):
        Go(tmp_path / "go").install(PROGRAM, into=tmp_path, announce=print)
