"""The machine's own Go, with caches that lie in a folder of ours."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.command import run
from harness.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

# Cold, on one slow core that others use too.
_TIMEOUT_SECONDS = 3600


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

    def remove_caches(self) -> None:
        """Remove what only another compilation would need; what was compiled stays."""
        for cache in (self.modules, self._build_cache):
            shutil.rmtree(cache, ignore_errors=True)

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
        ]
        if programs is not None:
            settings.append(f"GOBIN={programs}")
        command = ["nice", "-n", "19", "env", *settings, "go", *arguments]
        run(command, timeout_seconds=_TIMEOUT_SECONDS, directory=directory)
