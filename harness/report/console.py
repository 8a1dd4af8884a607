"""The result on a terminal, readable at 100 columns with and without colours."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.words import (
    STATUS_WORDS,
    bare,
    by_capability,
    faults,
    limit_words,
    measured,
    measured_together,
    named,
    phases,
    printable,
    seconds,
    subject_of,
    tally,
    target_words,
    total_seconds,
    unproven,
    verdict_sentence,
    why,
)
from harness.result.model import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from harness.result.model import CheckRecord, Measurement, Result

    Group = list[Measurement]
    """Statistics of the same samples."""

_STATUS_STYLES: dict[Status, str] = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold magenta",
    Status.INCONCLUSIVE: "yellow",
    Status.NOT_VERIFIED: "yellow",
}
_VERDICT_STYLES: dict[Verdict, str] = {
    Verdict.PASSED: "bold green",
    Verdict.FAILED: "bold red",
    Verdict.INTERRUPTED: "bold magenta",
    Verdict.ERROR: "bold magenta",
}
_STATISTICS = ("p50", "p95", "max")
_TARGET_WORDS = {True: "met", False: "missed", None: ""}
_TARGET_STYLES = {True: "green", False: "bold red", None: ""}
_INDENT = (0, 0, 0, 2)


def print_result(result: Result, console: Console, *, where: str) -> None:
    """Print a result; `where` tells the reader where its files are."""
    console.print()
    for capability, checks in by_capability(result):
        console.print(Text(capability.replace("_", " "), style="bold"))
        console.print(_checks(checks))
    _print_figures(measured_together(result), console)
    _print_unproven(result, console)
    for error in result.errors:
        console.print(_words("error of the run: ", error, "bold magenta"))
    for target in result.not_measured:
        console.print(_words("target not measured: ", target_words(target), "yellow"))
    for note in result.notes:
        console.print(_words("note: ", note, "dim"))
    _print_verdict(result, console, where)


def _checks(checks: list[CheckRecord]) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(width=12, no_wrap=True)
    table.add_column(width=58, overflow="fold")
    table.add_column(width=12, overflow="fold")
    table.add_column(width=8, justify="right", no_wrap=True)
    for check in checks:
        status = Text(STATUS_WORDS[check.status], style=_STATUS_STYLES[check.status])
        name = Text(check.id.partition(".")[2])
        for fault in faults(check):
            name.append(f"\n{printable(fault)}", "dim")
        table.add_row(status, name, Text(check.code), Text(seconds(check.duration_seconds)))
    return Padding(table, _INDENT, expand=False)


def _print_figures(groups: list[Group], console: Console) -> None:
    """Print all that missed its target, of the others the worst of each kind; count the rest."""
    if not groups:
        return
    judged = [group for group in groups if _judged(group).met is not None]
    rows = list(_rows(judged)) if judged else [(group, 1) for group in groups]
    console.print(Text("measurements", style="bold"))
    console.print(_figures(rows))
    if len(rows) < len(groups):
        rest = f"{len(groups) - len(rows)} more in report.html and results.json"
        _print_indented(console, 2, Text(rest, style="dim"))


def _rows(groups: list[Group]) -> Iterator[tuple[Group, int]]:
    """Give each group that missed its target, and of those that met one the nearest to it.

    The number tells of how many it is the worst.
    """
    for _, alike in groupby(groups, _kind):
        together = list(alike)
        met = [group for group in together if _judged(group).met]
        yield from ((group, 1) for group in together if group not in met)
        if met:
            yield max(met, key=_strain), len(met)


def _kind(group: Group) -> tuple[str, str, str]:
    """Name what is comparable: one measure of one size, held to one target."""
    judged = _judged(group)
    return measured(judged), judged.size_class, limit_words(judged)


def _strain(group: Group) -> float:
    """Return how near a figure is to its target: the larger, the nearer."""
    judged = _judged(group)
    return judged.value if judged.target_max is not None else -judged.value


def _judged(group: Group) -> Measurement:
    """Return the figure that has a target, else the first."""
    return next((figure for figure in group if figure.met is not None), group[0])


def _figures(rows: list[tuple[Group, int]]) -> Padding:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", min_width=24, overflow="fold")
    for heading in ("n", *_STATISTICS, "floor", "limit"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("target", min_width=6, no_wrap=True)
    for group, alike in rows:
        table.add_row(*_figure_row(group, alike))
    return Padding(table, _INDENT, expand=False)


def _figure_row(figures: Group, alike: int) -> list[Text]:
    """Show the statistics of the same samples; the one that has a target is coloured."""
    first, target = figures[0], _judged(figures)
    shown = {figure.statistic: figure for figure in figures}
    worst = f", worst of {alike}" if alike > 1 else ""
    return [
        Text.assemble((measured(first), "bold"), f" {printable(subject_of(first))}{worst}"),
        Text(str(first.samples)),
        *(_figure(shown.get(statistic)) for statistic in _STATISTICS),
        _optional(first.floor, first.unit),
        Text(limit_words(target, bare) or "-"),
        Text(_TARGET_WORDS[target.met], style=_TARGET_STYLES[target.met]),
    ]


def _figure(figure: Measurement | None) -> Text:
    if figure is None:
        return Text("")
    return Text(bare(figure.value, figure.unit), style=_TARGET_STYLES[figure.met])


def _optional(value: float | None, unit: str) -> Text:
    return Text("-" if value is None else bare(value, unit))


def _print_unproven(result: Result, console: Console) -> None:
    groups = unproven(result)
    if not groups:
        return
    console.print(Text("not proven, and why", style="bold"))
    for group in groups:
        check, style = group[0], _STATUS_STYLES[group[0].status]
        _print_indented(
            console, 2, Text.assemble((STATUS_WORDS[check.status], style), f" {named(group)}")
        )
        for finding in check.findings:
            at = f"{finding.code} at {finding.subject}: {finding.evidence}"
            _print_indented(console, 4, Text(printable(at)))
            if finding.remedy:
                _print_indented(console, 6, _words("remedy: ", finding.remedy, "cyan"))
        if check.reason:
            _print_indented(console, 4, Text(printable(why(check))))
    console.print()


def _print_indented(console: Console, columns: int, text: Text) -> None:
    console.print(Padding(text, (0, 0, 0, columns), expand=False))


def _print_verdict(result: Result, console: Console, where: str) -> None:
    spent = [f"{name} {seconds(duration)}" for name, duration in phases(result)]
    console.print(_words("time: ", ", ".join(spent) or "no phase was reached", "dim"))
    console.print(_words("results: ", where, "dim"), soft_wrap=True)
    verdict = result.verdict.replace("_", " ")
    style = _VERDICT_STYLES.get(result.verdict, "bold yellow")
    counted = f"{tally(result)} in {seconds(total_seconds(result))}"
    console.print(_words("checks: ", counted, "dim"))
    sentence = f"{result.scenario.name}: {verdict_sentence(result)}"
    console.print(Text.assemble((f"{verdict.upper()} ", style), sentence))


def _words(label: str, text: str, style: str) -> Text:
    return Text.assemble((label, style), printable(text))
