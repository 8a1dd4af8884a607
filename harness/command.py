"""The only place that starts processes: argument lists, never a shell, always a time limit."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Completed:
    """How a command ended: exit status and what it printed (bytes on stdout, text on stderr)."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")


def run(
    arguments: Sequence[str | Path],
    *,
    timeout_seconds: float,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    check: bool = True,
) -> Completed:
    """Run a command to its end and return what it printed.

    `environment` replaces the inherited one when given. Raises CommandError when the command
    is missing, runs out of time or, with `check`, ends with a status other than zero; the
    error shows the arguments, both streams' ends and the status.
    """
    argv = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            timeout=timeout_seconds,
            env=None if environment is None else dict(environment),
            cwd=directory,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(f"{argv[0]}: command not found") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(
            f"{' '.join(argv)}: still running after {timeout_seconds:g} s"
        ) from error
    completed = Completed(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
    if check and completed.status != 0:
        raise CommandError(
            f"{' '.join(argv)}: exit status {completed.status}\n"
            f"  stdout: {completed.text[-2000:].strip()}\n"
            f"  stderr: {completed.stderr[-2000:].strip()}"
        )
    return completed


def detach(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Start a process that outlives us, in a session of its own; both streams go to `log`.

    It is nobody's child but init's, so nobody has to wait for it.
    """
    with log.open("ab") as output:
        subprocess.run(
            ["/usr/bin/setsid", "--fork", *(str(argument) for argument in arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            check=True,
        )
