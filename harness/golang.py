"""The machine's own Go, with caches that lie in a folder of ours."""

from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from harness.command import run
from harness.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Cold, on one slow core that others use too.
_TIMEOUT_SECONDS = 3600
# Without what only debuggers read.
_LINKING = ("-s", "-w")


@dataclass(frozen=True)
class GoProgram:
    """A program as its project publishes it: the package of its `main`, and a version.

    `version` is the module's, without the leading `v`. `told` is the variable by which the
    program says its version, empty where it finds that out by itself.
    """

    package: str
    version: str
    told: str = ""

    @property
    def name(self) -> str:
        """What the program is called."""
        return self.package.rpartition("/")[2]

    @property
    def source(self) -> str:
        """Package and version as Go writes them."""
        return f"{self.package}@v{self.version}"


@dataclass(frozen=True)
class Go:
    """Go commands that share caches below `folder`, so that what was interrupted goes on.

    Modules come from where this machine's Go gets them, verified by its checksum database.
    """

    folder: Path

    @property
    def modules(self) -> Path:
        """Downloaded modules, unpacked; `cache/download` below it holds them as they came."""
        return self.folder / "modules"

    @property
    def _build_cache(self) -> Path:
        return self.folder / "build"

    @property
    def _path(self) -> Path:
        """Where Go keeps what the database of checksums told, which else is the user's ~/go."""
        return self.folder / "path"

    def lock(self) -> FileLock:
        """Return what keeps others from removing the caches while they are in use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")

    def remove_caches(self) -> None:
        """Remove what only another compilation would need; what was compiled stays."""
        for cache in (self.modules, self._build_cache, self._path):
            shutil.rmtree(cache, ignore_errors=True)

    def install(self, program: GoProgram, *, into: Path, announce: Callable[[str], None]) -> Path:
        """Return a program, compiled in a folder of its own below `into` unless it is there.

        Runs at the same time wait for each other; the caches are removed afterwards. Raises
        CommandError where Go is missing or too old, or where a module cannot be had.
        """
        settings = repr((program, _LINKING)).encode()
        folder = into / f"{program.name}-{hashlib.sha256(settings).hexdigest()[:12]}"
        if not folder.exists():
            with self.lock():
                if not folder.exists():
                    self._compile(program, folder, announce)
                    self.remove_caches()
        return folder / program.name

    def _compile(self, program: GoProgram, folder: Path, announce: Callable[[str], None]) -> None:
        announce(f"compiling {program.source}, which may take minutes")
        started = time.monotonic()
        linked = [*_LINKING]
        if program.told:
            linked.append(f"-X {program.told}=v{program.version}")
        draft = folder.with_name(f"{folder.name}.draft")
        draft.mkdir(parents=True, exist_ok=True)
        self.run(
            *("install", "-ldflags", " ".join(linked), program.source),
            directory=draft,
            programs=draft,
        )
        draft.rename(folder)
        announce(f"compiled {program.name} in {time.monotonic() - started:.0f} s")

    def run(self, *arguments: str, directory: Path, programs: Path | None = None) -> None:
        """Run Go below all other work of the machine; `go install` puts programs there.

        Raises CommandError, also where there is no Go.
        """
        if shutil.which("go") is None:
            raise CommandError("go: command not found")
        settings = [
            "CGO_ENABLED=0",
            # The module cache must be removable; paths of this machine stay out of programs.
            "GOFLAGS=-mod=mod -modcacherw -trimpath -buildvcs=false",
            "GOWORK=off",
            f"GOCACHE={self._build_cache}",
            f"GOMODCACHE={self.modules}",
            f"GOPATH={self._path}",
        ]
        if programs is not None:
            settings.append(f"GOBIN={programs}")
        command = ["nice", "-n", "19", "env", *settings, "go", *arguments]
        run(command, timeout_seconds=_TIMEOUT_SECONDS, directory=directory)
