"""A YAML file as plain data that remembers its lines; only what describes a topology is let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from harness.scenario.scalar import Scalar, plain_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.events import Event

Place = tuple[str | int, ...]
Value = Scalar | list["Value"] | dict[str, "Value"]

MAX_DEPTH = 12
_CORE_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where, what, and what to write instead."""

    line: int
    place: Place
    sentence: str
    remedy: str


@dataclass(frozen=True)
class Document:
    """What a file says, as far as it could be read.

    A value that could not be understood stands as None in `data`; its place is in `unknown`.
    """

    data: Value
    lines: dict[Place, int]
    unknown: frozenset[Place]
    problems: tuple[Problem, ...]

    def line(self, place: Place) -> int:
        """Return the line of a key or entry, or of the nearest thing that holds it."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)


def place_text(place: Place) -> str:
    """Return a place as people write it: `registries[2].tls`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def read_document(text: str) -> Document:
    """Read one YAML document; what is wrong with it is in its `problems`, nothing is raised."""
    reader = _Reader(text)
    data = reader.read()
    return Document(data, reader.lines, frozenset(reader.unknown), tuple(reader.problems))


class _Stop(Exception):  # noqa: N818 - ends the reading; its reason is already noted
    """Nothing after this point can be understood."""


class _Reader:
    """Turns the events of one file into data, noting what is refused."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self.unknown: set[Place] = set()
        self.problems: list[Problem] = []
        self._text = text

    def read(self) -> Value:
        data: Value = None
        documents = 0
        try:
            events: Iterator[Event] = YAML(typ="safe", pure=True).parse(self._text)
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    self._document(event, documents)
                elif isinstance(event, NodeEvent):
                    data = self._value(event, events, ())
        except MarkedYAMLError as error:
            self._syntax(error)
        except ReaderError as error:
            self._character(error)
        except _Stop:
            pass
        if not documents and not self.problems:
            self._note(1, (), "the file is empty", "Begin with a copy of scenarios/smoke.yaml.")
        return data

    def _note(self, line: int, place: Place, sentence: str, remedy: str) -> None:
        self.problems.append(Problem(line, place, sentence, remedy))

    def _document(self, event: DocumentStartEvent, count: int) -> None:
        line = _line(event)
        if count > 1:
            self._note(
                line,
                (),
                "a second YAML document begins here",
                "Write one scenario per file; remove the line ---.",
            )
            raise _Stop
        if event.version or event.tags:
            self._note(
                line,
                (),
                "YAML directives (lines that begin with %) are not used in scenarios",
                "Remove the directive; scenarios are always YAML 1.2.",
            )

    def _syntax(self, error: MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        rows = self._text.splitlines()
        row = rows[line - 1] if line <= len(rows) else ""
        remedy = "Mend the YAML; quotes, brackets and indentation are the usual causes."
        if "\t" in row:
            remedy = "Indent with spaces; YAML does not allow tabs there."
        what = " ".join(part for part in (error.context, error.problem) if part)
        self._note(line, (), f"this is not valid YAML: {what or 'syntax error'}", remedy)

    def _character(self, error: ReaderError) -> None:
        self._note(
            self._text.count("\n", 0, error.position) + 1,
            (),
            "the file holds a control character that YAML does not allow",
            "Remove the character; save the file as plain UTF-8 text.",
        )

    def _value(self, event: Event, events: Iterator[Event], place: Place) -> Value:
        line = self.lines.setdefault(place, _line(event))
        refused = self._refuse_language(event, line, place)
        if len(place) > MAX_DEPTH:
            self._note(line, place, "this is nested too deep", "Scenarios need five levels.")
            raise _Stop
        value: Value = None
        if isinstance(event, MappingStartEvent):
            value = self._mapping(events, place)
        elif isinstance(event, SequenceStartEvent):
            value = self._sequence(events, place)
        elif isinstance(event, ScalarEvent) and not refused:
            value = self._scalar(event, line, place)
        if refused or value is None:
            self.unknown.add(place)
            return None
        return value

    def _refuse_language(self, event: Event, line: int, place: Place) -> bool:
        """Note anchors, aliases and tags; return whether the value is unknown because of them."""
        named = f" at {place_text(place)}" if place else ""
        if isinstance(event, NodeEvent) and event.anchor is not None:
            mark, word = ("*", "alias") if isinstance(event, AliasEvent) else ("&", "anchor")
            self._note(
                line,
                place,
                f"the {word} {mark}{event.anchor}{named} is not allowed",
                "Write the value out where it is needed; a scenario is data, not a language.",
            )
        tag = event.tag if isinstance(event, ScalarEvent | CollectionStartEvent) else None
        if tag is not None:
            self._note(
                line,
                place,
                f"the tag {tag.replace(_CORE_TAG, '!!')}{named} is not allowed",
                "Remove the tag; write text in quotes and numbers without.",
            )
        return isinstance(event, AliasEvent) or tag is not None

    def _scalar(self, event: ScalarEvent, line: int, place: Place) -> Value:
        value = event.value if event.style else plain_scalar(event.value)
        if value is None:
            self._note(
                line,
                place,
                f"{place_text(place) or 'the scenario'} has no value",
                "Give it a value or leave it out; {} takes all defaults of a section.",
            )
        return value

    def _sequence(self, events: Iterator[Event], place: Place) -> Value:
        values: list[Value] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            values.append(self._value(event, events, (*place, len(values))))
        return values

    def _mapping(self, events: Iterator[Event], place: Place) -> Value:
        values: dict[str, Value] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self._key(event, events, place, values)
            if key is None:
                _skip(next(events), events)
                continue
            self.lines[(*place, key)] = _line(event)
            values[key] = self._value(next(events), events, (*place, key))
        return values

    def _key(
        self, event: Event, events: Iterator[Event], place: Place, seen: dict[str, Value]
    ) -> str | None:
        """Return the key that an event tells, None when the entry must be passed over."""
        line = _line(event)
        if not isinstance(event, ScalarEvent):
            self._note(line, place, "a key is not a text", "Write a plain word as the key.")
            _skip(event, events)
            return None
        if self._refuse_language(event, line, place):
            return None
        key: str = event.value
        if key == "<<" and not event.style:
            self._note(
                line,
                place,
                "the merge key << is not allowed",
                "Write the values out where they are needed; a scenario is data, not a language.",
            )
            return None
        if key in seen:
            first = self.lines[(*place, key)]
            self._note(
                line,
                (*place, key),
                f"the key {place_text((*place, key))} stands twice, first on line {first}",
                "Keep one of the two.",
            )
            return None
        return key


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _skip(event: Event, events: Iterator[Event]) -> None:
    """Pass over one value, whatever is in it."""
    depth = 0
    while True:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth == 0:
            return
        if depth > MAX_DEPTH:
            raise _Stop
        event = next(events)
