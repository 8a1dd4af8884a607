"""The only place that starts processes: argument lists, never a shell, always a time limit."""

from __future__ import annotations

import os
import select
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from harness.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


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


@dataclass(frozen=True)
class Companion:
    """A process beside ours that hears us through its standard input."""

    _name: str
    _input: IO[bytes]
    _output: IO[bytes]

    def tell(self, message: bytes) -> None:
        """Send it something; one that has ended does not hear it."""
        with suppress(BrokenPipeError):
            while message:
                message = message[os.write(self._input.fileno(), message) :]

    def answer(self, *, timeout_seconds: float) -> str:
        """Return its next line. Raises CommandError when the time runs out or it has ended."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        line = bytearray()
        while not line.endswith(b"\n"):
            if not poll.poll(timeout_seconds * 1000):
                raise CommandError(f"{self._name}: no answer within {timeout_seconds:g} s")
            byte = os.read(self._output.fileno(), 1)
            if not byte:
                raise CommandError(f"{self._name}: it has ended without an answer")
            line += byte
        return line.decode().rstrip("\n")


@contextmanager
def companion(
    arguments: Sequence[str | Path], *, directory: Path, grace_seconds: float
) -> Iterator[Companion]:
    """Have a process beside the block, in a session of its own: it outlives us if we are killed.

    Its input ends with the block or with us. At the end of the block it is killed unless it
    ends within `grace_seconds`. What it says on standard error is lost.
    """
    argv = [str(argument) for argument in arguments]
    with subprocess.Popen(
        argv,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        start_new_session=True,
    ) as process:
        # asked for above, so they are there
        input_, output = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            yield Companion(" ".join(argv), input_, output)
        finally:
            input_.close()
            try:
                process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
