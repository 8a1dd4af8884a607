"""A short summary in GitHub's Markdown, for a step summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.report.words import (
    STATUS_WORDS,
    faults,
    limit_words,
    measurements,
    named,
    phases,
    printable,
    quantity,
    seconds,
    subject_of,
    tally,
    target_words,
    total_seconds,
    unproven,
    verdict_sentence,
    why,
)

if TYPE_CHECKING:
    from harness.result.model import CheckRecord, Result

_WORST = 10
_CHARACTERS = 300
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>|~&@#!$:])")


def markdown(result: Result) -> str:
    """Render a result: verdict, the worst ten checks, figures that have a target."""
    lines = [
        f"## {_escaped(result.scenario.name)}: {result.verdict.replace('_', ' ')}",
        "",
        f"{verdict_sentence(result)}: {tally(result)} in {seconds(total_seconds(result))}",
        "",
        *_problems(result),
        *_unproven(result),
        *_figures(result),
        *_faults(result),
        _phases(result),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _problems(result: Result) -> list[str]:
    problems = [
        *result.errors,
        *(f"not measured: {target_words(target)}" for target in result.not_measured),
    ]
    return [*(f"- {_escaped(problem)}" for problem in problems), ""] if problems else []


def _unproven(result: Result) -> list[str]:
    groups = unproven(result)
    if not groups:
        return []
    rows = [_row(group) for group in groups[:_WORST]]
    more = sum(map(len, groups[_WORST:]))
    rest = ["", f"and {more} more, see the results"] if more else []
    return ["| check | status | code | why |", "| --- | --- | --- | --- |", *rows, *rest, ""]


def _row(group: list[CheckRecord]) -> str:
    check = group[0]
    words = (
        f"{check.findings[0].subject}: {check.findings[0].evidence}"
        if check.findings
        else why(check)
    )
    cells = (named(group), STATUS_WORDS[check.status], check.code, words)
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _figures(result: Result) -> list[str]:
    judged = [figure for figure in measurements(result) if figure.met is not None]
    if not judged:
        return []
    rows = [
        f"| {_escaped(figure.name)} | {_escaped(subject_of(figure))} "
        f"| {quantity(figure.value, figure.unit)} "
        f"| {limit_words(figure)} | {'yes' if figure.met else '**no**'} |"
        for figure in judged
    ]
    return [
        "| measured | where | value | limit | met |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]


def _faults(result: Result) -> list[str]:
    lines = [
        f"- {_escaped(check.id)}: {_escaped(fault)}"
        for check in result.checks
        for fault in faults(check)
    ]
    return ["faults:", "", *lines, ""] if lines else []


def _phases(result: Result) -> str:
    return ", ".join(f"{name} {seconds(spent)}" for name, spent in phases(result))


def _escaped(text: str) -> str:
    """Return foreign text on one line, in which nothing is Markdown or HTML any more."""
    line = " ".join(printable(text).split())
    short = line if len(line) <= _CHARACTERS else f"{line[:_CHARACTERS]}…"
    return _PUNCTUATION.sub(r"\\\1", short)
