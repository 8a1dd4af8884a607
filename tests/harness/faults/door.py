"""A fault whose part is a folder, so that every process sees the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Door:
    """A door that can be open, which it should not be.

    One that is `stuck` stays as it is; one that then `gives_way` can be healed from the second
    time on.
    """

    folder: Path

    @property
    def name(self) -> str:
        return "open"

    @property
    def subject(self) -> str:
        return "the door"

    @property
    def calls(self) -> Path:
        return self.folder / "calls"

    @property
    def stuck(self) -> Path:
        return self.folder / "stuck"

    @property
    def gives_way(self) -> Path:
        return self.folder / "gives-way"

    @property
    def _open(self) -> Path:
        return self.folder / "open"

    def inject(self) -> None:
        self._note("inject")
        if not self.stuck.exists():
            self._open.touch()

    def heal(self) -> None:
        self._note("heal")
        if not self.stuck.exists():
            self._open.unlink(missing_ok=True)
        elif self.gives_way.exists():
            self.stuck.unlink()

    def is_active(self) -> bool:
        return self._open.exists()

    def _note(self, call: str) -> None:
        with self.calls.open("a") as calls:
            calls.write(f"{call}\n")
