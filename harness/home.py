"""Where the harness keeps what it has made: packages, engine, images, runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Home:
    """Folders below one root; nothing exists until somebody makes it."""

    root: Path

    @classmethod
    def locate(cls, environment: Mapping[str, str]) -> Home:
        """Return the home: $PULLPROOF_HOME, else `pullproof` in the user's cache folder.

        An empty variable counts as unset, as the XDG base directory specification asks.
        """
        own = environment.get("PULLPROOF_HOME")
        if own:
            return cls(Path(own).absolute())
        cache = environment.get("XDG_CACHE_HOME")
        return cls((Path(cache) if cache else Path("~/.cache").expanduser()) / "pullproof")

    @property
    def packages(self) -> Path:
        """Downloaded Debian packages, one folder per suite."""
        return self.root / "packages"

    @property
    def engine(self) -> Path:
        """The private container engine: its programs, its data and its socket."""
        return self.root / "engine"

    @property
    def images(self) -> Path:
        """What is kept while images are built."""
        return self.root / "images"

    @property
    def go(self) -> Path:
        """Caches of Go, and what is compiled with them."""
        return self.root / "go"

    @property
    def tools(self) -> Path:
        """Command lines that PATH lacks."""
        return self.root / "tools"

    @property
    def runs(self) -> Path:
        """Working files of runs."""
        return self.root / "runs"

    def run(self, run_id: str) -> Path:
        """Return the folder of one run."""
        return self.runs / run_id
