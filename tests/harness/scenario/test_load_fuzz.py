from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from harness.scenario.document import read_document
from harness.scenario.load import ScenarioErrors, load
from harness.scenario.model import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = [file.read_text() for file in sorted(Path(__file__).parents[3].glob("scenarios/*.yaml"))]
WORDS = sorted({word for text in TEXTS for word in text.replace(":", " ").split()})
FUZZ = settings(
    deadline=None,
    max_examples=80,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def must_be_judged(folder: Path, content: bytes) -> None:
    """Load whatever was made up: a scenario or the documented error, and nothing written."""
    file = folder / "fuzzed.yaml"
    file.write_bytes(content)
    before = file.stat().st_mtime_ns
    lines = content.count(b"\n") + content.count(b"\r") + 1
    for error in refusals(file):
        assert isinstance(error, ConfigurationError)
        assert 1 <= error.line <= lines
        assert error.remedy
    assert [path.name for path in folder.iterdir()] == ["fuzzed.yaml"]
    assert file.stat().st_mtime_ns == before
    assert file.read_bytes() == content


def refusals(file: Path) -> tuple[ConfigurationError, ...]:
    """Return why a file is refused; empty when it is a scenario."""
    try:
        scenario = load(file).scenario
    except ScenarioErrors as refused:
        named = [error for error in refused.errors if f"{file}:{error.line}: " in str(refused)]
        return tuple(named) if len(named) == len(refused.errors) > 0 else pytest.fail(str(refused))
    assert isinstance(scenario, Scenario)
    return ()


def scalars() -> st.SearchStrategy[str]:
    """Return things that may stand where a YAML value or key stands."""
    return st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from(["~", "*a", "&a x", "!!str x", "!x", "<<", "{}", "[]", "|", "? ", "%Y"]),
        st.integers().map(str),
        st.floats().map(str),
        st.booleans().map(json.dumps),
        st.text(max_size=8),
        st.text(max_size=8).map(json.dumps),
    )


@st.composite
def changed_lines(draw: st.DrawFn) -> str:
    """Draw a valid scenario in which lines were dropped, repeated, moved or indented anew."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        change: Callable[[str], list[str]] = draw(
            st.sampled_from(
                [
                    lambda _: [""],
                    lambda line: [line, line],
                    lambda line: ["  " + line],
                    lambda line: ["\t" + line],
                    lambda line: [line.lstrip()],
                    lambda line: [line, "---"],
                    lambda line: [line[: len(line) // 2]],
                ]
            )
        )
        lines[at : at + 1] = change(lines[at])
    return "\n".join(lines)


@st.composite
def changed_words(draw: st.DrawFn) -> str:
    """Draw a valid scenario in which some keys or values became something else."""
    words = draw(st.sampled_from(TEXTS)).split(" ")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        word = words[at]
        end = word[len(word.rstrip(",:}]\n")) :]
        words[at] = draw(scalars()) + end
    return " ".join(words)


def values() -> st.SearchStrategy[object]:
    """Return trees of data whose words are those of scenarios."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text()
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=4),
        ),
        max_leaves=12,
    )


@st.composite
def changed_data(draw: st.DrawFn) -> str:
    """Draw a valid scenario in which one branch of the tree was replaced or taken out."""
    data = read_document(draw(st.sampled_from(TEXTS))).data
    node: object = data
    while isinstance(node, dict | list) and node:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if draw(st.booleans()):
            node[key] = draw(values())
            break
        if draw(st.integers(0, 4)) == 0:
            del node[key]
            break
        node = node[key]
    return json.dumps(data, indent=draw(st.sampled_from([None, 1])), ensure_ascii=False)


@FUZZ
@given(text=st.one_of(changed_lines(), changed_words(), changed_data()))
def test_changed_scenario_is_accepted_or_refused_by_line(tmp_path: Path, text: str) -> None:
    must_be_judged(tmp_path, text.encode("utf-8", "surrogatepass"))


@FUZZ
@given(
    text=st.sampled_from(TEXTS),
    at=st.floats(0, 1),
    noise=st.one_of(st.binary(max_size=8), st.text("[]{}:,-?!&*|>%@`'\"#\t\n <x1").map(str.encode)),
    cut=st.integers(0, 8),
)
def test_noise_in_a_scenario_is_accepted_or_refused_by_line(
    tmp_path: Path, text: str, at: float, noise: bytes, cut: int
) -> None:
    content = text.encode()
    start = int(at * len(content))
    must_be_judged(tmp_path, content[:start] + noise + content[start + cut :])


@FUZZ
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_noise_alone_is_refused_by_line(tmp_path: Path, content: bytes) -> None:
    must_be_judged(tmp_path, content)


@pytest.mark.parametrize("text", TEXTS)
def test_scenario_cut_short_anywhere_is_accepted_or_refused(tmp_path: Path, text: str) -> None:
    for length in range(0, len(text), 37):
        must_be_judged(tmp_path, text[:length].encode())
