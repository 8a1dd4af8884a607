"""The accounts of a Distribution registry: an htpasswd file that it reads again when it changes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import bcrypt
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.secret import Secret

# The lowest that bcrypt has: every request pays for it, and guessing is no danger in a lab.
_COST: Final = 4
_LOCK_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True)
class Accounts:
    """An htpasswd file; any number of processes may change it at once.

    `lock` lies outside the folder that the registry sees.
    """

    file: Path
    lock: Path

    def set_password(self, username: str, password: Secret) -> None:
        """Create an account or replace its password."""
        self._change(lambda accounts: {**accounts, username: hashed(password)})

    def remove(self, username: str) -> None:
        """Remove an account; one that is not there is no error."""
        self._change(
            lambda accounts: {name: each for name, each in accounts.items() if name != username}
        )

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        with FileLock(self.lock, timeout=_LOCK_TIMEOUT_SECONDS):
            previous_ns = self.file.stat().st_mtime_ns if self.file.exists() else 0
            lines = self.file.read_text().splitlines() if previous_ns else []
            accounts = change(dict(line.split(":", 1) for line in lines))
            draft = self.file.with_name(f"{self.file.name}.draft")
            draft.touch(mode=0o600)
            draft.write_text("".join(f"{name}:{hash_}\n" for name, hash_ in accounts.items()))
            # The registry reads the file again only when its time differs, and the kernel's
            # clock for files stands still for milliseconds.
            changed_ns = max(time.time_ns(), previous_ns + 1)
            os.utime(draft, ns=(changed_ns, changed_ns))
            draft.replace(self.file)


def hashed(password: Secret) -> str:
    """Return what stands in the file for a password."""
    return bcrypt.hashpw(password.reveal().encode(), bcrypt.gensalt(_COST)).decode()
