"""What a run is about to create, written down before it does so."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Intent:
    """One thing that may exist from now on: `kind` such as `network`, and its name."""

    kind: str
    name: str


def journal_in(folder: Path) -> Journal:
    """Return the journal of the run whose folder this is."""
    return Journal(folder / "journal.jsonl")


@dataclass(frozen=True)
class Journal:
    """Intents of one run, one JSON line each; safe to write from several threads."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def intend(self, kind: str, name: str) -> None:
        """Record an intent; it is on disk when this returns."""
        line = json.dumps({"kind": kind, "name": name}) + "\n"
        with self._lock, self.path.open("a") as journal:
            journal.write(line)
            journal.flush()
            os.fsync(journal.fileno())

    def intents(self) -> tuple[Intent, ...]:
        """Return all intents; a last line that a kill has cut short is left out.

        There are none where somebody else has cleaned the run away, perhaps just now.
        """
        try:
            whole = self.path.read_text().split("\n")[:-1]
        except FileNotFoundError:
            return ()
        return tuple(Intent(**json.loads(line)) for line in whole)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of one kind, oldest first."""
        return tuple(intent.name for intent in self.intents() if intent.kind == kind)
