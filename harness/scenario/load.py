"""From a YAML file to a scenario, or to everything that is wrong with the file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.errors import ConfigurationError, HarnessError
from harness.scenario.complaints import structure_problems
from harness.scenario.document import Problem, read_document
from harness.scenario.files import file_problems, with_whole_paths
from harness.scenario.model import Scenario
from harness.scenario.rules import broken_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.scenario.document import Document
    from harness.scenario.model import Provider

# Reading this much takes half a second, and errors are promised within one.
LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Loaded:
    """A scenario, the file it came from and the SHA-256 (hexadecimal) of that file's bytes.

    Files that the scenario names stand in it with their whole paths. `document` knows the lines.
    """

    scenario: Scenario
    sha256: str
    path: Path
    document: Document = field(repr=False)


class ScenarioErrors(HarnessError):  # noqa: N818 - it is several
    """Everything that is wrong with one scenario file, in the order of its lines."""

    def __init__(self, errors: Sequence[ConfigurationError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n\n".join(str(error) for error in self.errors))


def load(path: Path, *, on: Provider | None = None) -> Loaded:
    """Read a scenario; nothing is written and nothing started.

    `on` takes the place of its cluster's provider. Raises ScenarioErrors, which tells all
    problems of the file at once. Rules that span several keys are judged only where the sections
    that they read are sound.
    """
    content = _read(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(path, "the file is not UTF-8 text", "Save it as UTF-8.", line) from None
    document = read_document(text)
    scenario, problems = _judge(document, on)
    if scenario is not None:
        scenario = with_whole_paths(scenario, path.parent)
        problems += file_problems(scenario, document)
    if scenario is None or problems:
        raise ScenarioErrors([_error(path, problem) for problem in problems])
    return Loaded(scenario, hashlib.sha256(content).hexdigest(), path, document)


def _judge(document: Document, on: Provider | None) -> tuple[Scenario | None, tuple[Problem, ...]]:
    problems = document.problems
    if isinstance(document.data, dict) or not problems:
        try:
            scenario = Scenario.model_validate(document.data, by_alias=True, by_name=False)
        except ValidationError as error:
            problems += structure_problems(error, document)
            return None, problems + _rules_of_sound_sections(document, problems, on)
        scenario = _on(on, scenario)
        return scenario, problems + broken_rules(scenario, document, unsound=_unsound(problems))
    return None, problems


def _rules_of_sound_sections(
    document: Document, problems: tuple[Problem, ...], on: Provider | None
) -> tuple[Problem, ...]:
    """Judge what can be judged of a file that is no scenario as a whole."""
    unsound = _unsound(problems)
    if not isinstance(document.data, dict):
        return ()
    sound = {key: value for key, value in document.data.items() if key not in unsound}
    stand_in = {"version": 1, "name": "unsound", "registries": [{"name": "unsound"}]}
    scenario = Scenario.model_validate(stand_in | sound, by_alias=True, by_name=False)
    return broken_rules(_on(on, scenario), document, unsound=unsound)


def _on(provider: Provider | None, scenario: Scenario) -> Scenario:
    """Return the scenario on a cluster of another provider, None for the one that it names."""
    if provider is None:
        return scenario
    cluster = scenario.cluster.model_copy(update={"provider": provider})
    return scenario.model_copy(update={"cluster": cluster})


def _unsound(problems: tuple[Problem, ...]) -> frozenset[str]:
    """Return the top-level sections in which something is wrong."""
    return frozenset(str(problem.place[0]) for problem in problems if problem.place)


def _read(path: Path) -> bytes:
    """Return the file's bytes; devices and pipes, which may never end, are refused."""
    try:
        if path.exists() and not path.is_file():
            raise _refused(path, "this is not a file", "Name a YAML file, such as smoke.yaml.")
        with path.open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refused(path, f"cannot be read: {reason}", _other_file(path)) from None
    if len(content) > LIMIT_BYTES:
        limit = f"the file is larger than {LIMIT_BYTES} bytes"
        raise _refused(path, limit, "Name a scenario; smoke.yaml shows what one looks like.")
    return content


def _other_file(path: Path) -> str:
    """Return a remedy that names the file that was probably meant."""
    try:
        beside = sorted(file.name for file in path.parent.glob("*.yaml"))
    except (OSError, ValueError):
        beside = []
    close = get_close_matches(path.name, beside, n=1)
    if close:
        return f"Did you mean {path.with_name(close[0])}?"
    return "Name a scenario file that exists and may be read."


def _refused(path: Path, sentence: str, remedy: str, line: int = 1) -> ScenarioErrors:
    return ScenarioErrors([ConfigurationError(sentence, file=path, line=line, remedy=remedy)])


def _error(path: Path, problem: Problem) -> ConfigurationError:
    return ConfigurationError(problem.sentence, file=path, line=problem.line, remedy=problem.remedy)
