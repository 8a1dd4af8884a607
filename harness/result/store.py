"""How a run's evidence and verdict are kept: whole or not at all, and without secrets.

A run's folder holds `checks.jsonl` (a line for each check, written when it ends), `run.json`
(the facts of the run), `histories/` and `results.json`, which follows from the first two alone.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from harness.errors import HarnessError
from harness.result.files import Reserve, append_whole, write_whole
from harness.result.model import CheckRecord, Part, Result, RunFacts
from harness.result.verdict import conclude

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.history import History
    from harness.result.redaction import Redactor

CHECKS: Final = "checks.jsonl"
RUN: Final = "run.json"
RESULTS: Final = "results.json"
HISTORIES: Final = "histories"

_RESERVED_BYTES = 256 * 1024
_BRIEF_CHARACTERS = 200
_CHUNK_BYTES = 1024 * 1024

# Closed vocabularies and names that the harness makes itself; cleaning them could break them.
_IDENTIFIERS = frozenset(
    ("id", "capability", "status", "code", "name", "run_id", "sha256", "history", "outcome")
)

PartT = TypeVar("PartT", bound=Part)


class Store:
    """Writes one run's folder; one process writes it, from any of its threads.

    When the disk fills up the run goes on: what could not be kept is told as an error of the
    run, and a shortened `results.json` goes into space that was reserved at the beginning.
    """

    def __init__(self, run_dir: Path, redactor: Redactor) -> None:
        self._dir = run_dir
        self._redactor = redactor
        self._reserve = Reserve(run_dir / ".reserve", _RESERVED_BYTES)
        self._lock = threading.Lock()
        self._unwritten: list[CheckRecord] = []
        self._problems: list[str] = []

    def prepare(self) -> None:
        """Make the folder and reserve space; call it before the run begins.

        Raises HarnessError when there is no room for a verdict.
        """
        try:
            (self._dir / HISTORIES).mkdir(parents=True, exist_ok=True)
            self._reserve.allocate()
        except OSError as error:
            raise HarnessError(
                f"results cannot be written to {self._dir}: {error.strerror}",
                remedy=f"free {_RESERVED_BYTES // 1024} KiB or more, or choose another folder",
            ) from error

    def append(self, check: CheckRecord) -> None:
        """Keep the record of a check that has ended; it is on the disk when this returns."""
        clean = self._clean(check)
        with self._lock:
            try:
                append_whole(self._dir / CHECKS, _line(clean))
            except OSError:
                self._unwritten.append(clean)

    def keep_history(self, check_id: str, history: History) -> str:
        """Write a check's history; return its path below the folder, empty if it did not fit."""
        name = f"{HISTORIES}/{check_id}.jsonl"
        lines = history.to_jsonl().split("\n")[:-1]
        cleaned = (self._redactor.clean_json(line, keep=_IDENTIFIERS) for line in lines)
        content = [f"{line}\n".encode() for line in cleaned]
        return name if self._survives(name, content) else ""

    def keep_files(self, source: Path, name: str) -> None:
        """Copy all files below `source`, such as logs, cleaned, to the folder `name`."""
        for file in sorted(source.rglob("*")):
            if not file.is_file() or file.is_symlink():
                continue
            self._survives(
                f"{name}/{file.relative_to(source)}", self._redactor.clean_chunks(_chunks(file))
            )

    def write_report(self, name: str, text: str) -> bool:
        """Write a rendered report beside the results, cleaned; return whether it fitted."""
        return self._survives(name, [self._redactor.clean(text).encode()])

    def finish(self, facts: RunFacts) -> Result:
        """Write `run.json` and `results.json`, and return the result as it was written."""
        known = self._clean(facts)
        try:
            self._write_missing_checks()
            complete = _with_errors(known, self._problems)
            write_whole(self._dir / RUN, [_line(complete)])
            document = replay(self._dir)
            write_whole(self._dir / RESULTS, [document])
            result = Result.model_validate_json(document)
        except OSError as error:
            problems = [*self._problems, f"results did not fit: {error.strerror or error}"]
            checks = (*read_checks(self._dir), *self._unwritten)
            result = shorten(conclude(_with_errors(known, problems), checks))
            if len(result.to_json()) > self._reserve.size:
                result = result.model_copy(update={"checks": ()})
            self._reserve.become(self._dir / RESULTS, result.to_json())
        self._reserve.release()
        return result

    def _write_missing_checks(self) -> None:
        with self._lock:
            while self._unwritten:
                append_whole(self._dir / CHECKS, _line(self._unwritten[0]))
                self._unwritten.pop(0)

    def _clean(self, part: PartT) -> PartT:
        cleaned = self._redactor.clean_json(part.model_dump_json(), keep=_IDENTIFIERS)
        return type(part).model_validate_json(cleaned)

    def _survives(self, name: str, chunks: Iterable[bytes]) -> bool:
        """Write a file of evidence; a full disk becomes an error of the run."""
        path = self._dir / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, chunks)
        except OSError as error:
            self._problems.append(f"{name} was not kept: {error.strerror or error}")
            return False
        return True


def read_checks(run_dir: Path) -> tuple[CheckRecord, ...]:
    """Read the records of a run, also of one that was killed: a torn last line is left out.

    Raises HarnessError for a line that is not a check's record.
    """
    path = run_dir / CHECKS
    if not path.exists():
        return ()
    checks: list[CheckRecord] = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            checks.append(CheckRecord.model_validate_json(line))
        except ValidationError as error:
            raise HarnessError(f"{CHECKS}:{number}: {error}") from error
    return tuple(checks)


def replay(run_dir: Path) -> bytes:
    """Conclude a run again from its stored records; the bytes equal its `results.json`.

    Raises HarnessError when records are missing or spoilt.
    """
    try:
        facts = RunFacts.model_validate_json((run_dir / RUN).read_bytes())
    except FileNotFoundError as error:
        raise HarnessError(
            f"{run_dir.name} has no {RUN}: the run was killed before it ended",
            remedy=f"{CHECKS} in the same folder holds the checks that had ended by then",
        ) from error
    except ValidationError as error:
        raise HarnessError(f"{RUN}: {error}") from error
    return conclude(facts, read_checks(run_dir)).to_json()


def shorten(result: Result) -> Result:
    """Return the result with the same conclusion, its evidence cut to what fits anywhere."""
    return result.model_copy(
        update={
            "checks": tuple(_brief(check) for check in result.checks),
            "errors": tuple(error[:_BRIEF_CHARACTERS] for error in result.errors[:10]),
            "notes": (),
        }
    )


def _brief(check: CheckRecord) -> CheckRecord:
    """Keep id, status and the beginning of the reasons."""
    findings = tuple(
        replace(
            finding,
            evidence=finding.evidence[:_BRIEF_CHARACTERS],
            remedy=finding.remedy[:_BRIEF_CHARACTERS],
        )
        for finding in check.findings[:1]
    )
    return check.model_copy(
        update={
            "findings": findings,
            "reason": check.reason[:_BRIEF_CHARACTERS],
            "measurements": (),
            "nodes": (),
        }
    )


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk


def _with_errors(facts: RunFacts, problems: list[str]) -> RunFacts:
    return facts.model_copy(update={"errors": (*facts.errors, *problems)})


def _line(part: Part) -> bytes:
    return part.model_dump_json().encode() + b"\n"
