"""What the model says against a file, in sentences with a remedy."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from harness.scenario.document import Place, Problem, place_text
from harness.scenario.schema import scenario_schema, schema_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from harness.scenario.document import Document

LONGEST_QUOTE = 40


def structure_problems(error: ValidationError, document: Document) -> tuple[Problem, ...]:
    """Return what the model found, save what is unknown since the reading of the file."""
    schema = scenario_schema()
    found = []
    for detail in error.errors(include_url=False):
        place: Place = detail["loc"]
        # A list that lost its wrong entries is called too short as well; it is not.
        shrunk = detail["type"] == "too_short" and detail["input"]
        if shrunk or any(place[:length] in document.unknown for length in range(len(place) + 1)):
            continue
        sentence, remedy = _complaint(detail, schema)
        found.append(Problem(document.line(place), place, sentence, remedy))
    return tuple(found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the closest known word, empty when none is close."""
    close = get_close_matches(word, list(known), n=1)
    return f"Did you mean {close[0]}? " if close else ""


def one_of(words: Sequence[str]) -> str:
    """Return words as an enumeration: `a, b or c`."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _complaint(detail: ErrorDetails, schema: dict[str, Any]) -> tuple[str, str]:
    place = detail["loc"]
    name = str(place[-1]) if place else ""
    holder = place_text(place[:-1]) or "the scenario"
    if detail["type"] == "extra_forbidden":
        keys = list(schema_at(schema, place[:-1])["properties"])
        remedy = f"{did_you_mean(name, keys)}The keys of {holder} are {', '.join(keys)}."
        return f"{place_text(place)} is not a key of {holder}", remedy
    wanted = schema_at(schema, place)
    if detail["type"] == "missing":
        return f"{holder} lacks the key {name}", f"Add {name}: {_described(wanted, schema)}."
    value = detail["input"]
    return (
        f"{place_text(place) or 'the scenario'} cannot be {_shown(value)}",
        f"{_hint(value, wanted)}It takes {_described(wanted, schema)}.",
    )


def _hint(value: object, wanted: dict[str, Any]) -> str:
    """Return the likely meaning of a wrong value, empty where there is none."""
    allowed: list[object] = wanted.get("enum", [wanted["const"]] if "const" in wanted else [])
    if isinstance(value, str) and wanted.get("type") == "boolean":
        return "YAML 1.2 reads yes, no, on and off as text. "
    if isinstance(value, str) and wanted.get("type") in {"integer", "number"}:
        return "Write it without quotes. " if value.isdecimal() else ""
    if isinstance(value, int | float) and str(value) in allowed:
        return f'Write it in quotes: "{value}". '
    return did_you_mean(value, map(str, allowed)) if isinstance(value, str) else ""


def _shown(value: object) -> str:
    """Return a value of the file as people call it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        short = value if len(value) <= LONGEST_QUOTE else value[:LONGEST_QUOTE] + "..."
        return f"the text {json.dumps(short)}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "a mapping"


def _described(wanted: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return what a part of the schema lets in."""
    if "$ref" in wanted:
        wanted = schema["$defs"][wanted["$ref"].removeprefix("#/$defs/")]
    allowed = wanted.get("enum", [wanted["const"]] if "const" in wanted else None)
    if allowed is not None:
        return one_of([json.dumps(word) for word in allowed])
    match wanted["type"]:
        case "array":
            least = "one entry or more" if wanted.get("minItems") else "entries"
            text = f"a list of {least}, each {_described(wanted['items'], schema)}"
        case "object":
            text = f"a mapping with the keys {', '.join(wanted['properties'])}"
        case "integer":
            text = f"a whole number from {wanted['minimum']} to {wanted['maximum']}"
        case "number":
            text = f"a number above {wanted['exclusiveMinimum']}"
        case "boolean":
            text = "true or false"
        case _:
            least = f"text of at least {wanted.get('minLength')} characters"
            text = wanted.get("description", least)
    return text
