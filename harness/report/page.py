"""The result as one HTML page that needs nothing else: no scripts, no requests, light and dark."""

from __future__ import annotations

from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from harness.report.bars import figure_bar, scale, share_bar
from harness.report.words import (
    STATUS_WORDS,
    by_capability,
    faults,
    limit_words,
    measurements,
    named,
    phases,
    printable,
    quantity,
    seconds,
    size,
    subject_of,
    tally,
    target_words,
    total_seconds,
    unproven,
    verdict_sentence,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.findings import Finding
    from harness.result.model import CheckRecord, Measurement, Result

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_LEGEND = (
    ("floor", "floor that physics sets"),
    ("met", "within the target"),
    ("missed", "beyond it"),
    ("bare", "no target"),
    ("target", "target"),
    ("whisker", "95% bootstrap interval"),
)


def page(result: Result) -> str:
    """Render a result."""
    title = f"{result.verdict.replace('_', ' ')}: {result.scenario.name}"
    sections = (
        _head(result),
        _attention(result),
        _figures(result),
        _checks(result),
        _times(result),
        _environment(result),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)}</title>\n<style>\n{_STYLE.read_text()}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _head(result: Result) -> str:
    counts = result.counts
    shares = share_bar(
        (
            ("passed", counts.passed),
            ("failed", counts.failed),
            ("error", counts.error),
            ("inconclusive", counts.inconclusive),
            ("not_verified", counts.not_verified),
        )
    )
    started = result.started.strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f'<header class="{result.verdict}">\n'
        f"<p>Acceptance of scenario <strong>{_text(result.scenario.name)}</strong></p>\n"
        f"<h1>{_text(result.verdict.replace('_', ' '))}</h1>\n"
        f'<p class="sentence">{_text(verdict_sentence(result).capitalize())}.</p>\n'
        f"{shares}\n"
        f"<p>{_text(tally(result))} in {seconds(total_seconds(result))}, {started}, "
        f"run <code>{_text(result.run_id)}</code></p>\n</header>\n"
    )


def _attention(result: Result) -> str:
    items = [f"<li><h3>Error of the run</h3>{_quoted(error)}</li>" for error in result.errors]
    items += [
        f"<li><h3>{_status(group[0])} <code>{_text(named(group))}</code></h3>"
        f"{_account(group[0])}</li>"
        for group in unproven(result)
    ]
    items += [
        f"<li><h3>Target not measured</h3><p>{_text(target_words(target))}</p></li>"
        for target in result.not_measured
    ]
    return _section("Not proven, and why", f'<ul class="attention">{"".join(items)}</ul>', items)


def _account(check: CheckRecord) -> str:
    """Tell what a check found, or why it could not tell."""
    reason = _quoted(why(check)) if check.reason else ""
    return "".join(map(_finding, check.findings)) + reason


def _finding(finding: Finding) -> str:
    remedy = f'<p class="remedy">{_text(finding.remedy)}</p>' if finding.remedy else ""
    return (
        f'<div class="finding"><p><code>{_text(finding.code)}</code> at '
        f"<strong>{_text(finding.subject)}</strong></p>{_quoted(finding.evidence)}{remedy}</div>"
    )


def _figures(result: Result) -> str:
    figures = measurements(result)
    groups = [_group(name, list(of)) for name, of in groupby(figures, lambda each: each.name)]
    keys = "".join(f'<li><span class="key {style}"></span>{word}</li>' for style, word in _LEGEND)
    legend = f'<ul class="legend">{keys}</ul>'
    return _section("Measurements", legend + "".join(groups), figures)


def _group(name: str, figures: Sequence[Measurement]) -> str:
    full = scale(figures)
    rows = "".join(_figure(figure, full) for figure in figures)
    return (
        f"<table><caption><code>{_text(name)}</code></caption>"
        "<thead><tr><th>where</th><th></th><th>value</th><th>floor</th><th>limit</th>"
        f"<th>target</th><th>samples</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _figure(figure: Measurement, full: float) -> str:
    floor = "" if figure.floor is None else quantity(figure.floor, figure.unit)
    cells = f'<td class="number">{floor}</td><td class="number">{limit_words(figure)}</td>'
    value = _text(quantity(figure.value, figure.unit))
    flag = {True: "met", False: '<span class="flag">missed</span>', None: ""}[figure.met]
    return (
        f"<tr><td>{_text(subject_of(figure))}</td>"
        f'<td class="drawn">{figure_bar(figure, full)}</td>'
        f'<td class="number">{value}</td>{cells}<td class="number">{flag}</td>'
        f'<td class="number">{figure.samples}</td></tr>'
    )


def _checks(result: Result) -> str:
    groups = [
        f"<h3>{_text(capability.replace('_', ' '))}</h3>{''.join(map(_check, checks))}"
        for capability, checks in by_capability(result)
    ]
    return _section("Checks", "".join(groups), groups)


def _check(check: CheckRecord) -> str:
    modes = ", ".join(map(str, check.failure_modes))
    facts = (
        ("id", check.id),
        ("code", check.code),
        ("known failures it catches", modes),
        *(("fault", fault) for fault in faults(check)),
        ("history", check.history),
    )
    told = _listed((name, value) for name, value in facts if value)
    return (
        f'<details><summary>{_status(check)}<span class="title">{_text(check.title)}</span>'
        f'<span class="number">{seconds(check.duration_seconds)}</span></summary>'
        f"{told}{_account(check)}</details>"
    )


def _times(result: Result) -> str:
    spent = phases(result)
    bar = share_bar([(f"phase-{name}", duration) for name, duration in spent])
    words = "".join(
        f'<li><span class="key phase-{name}"></span>{name} {seconds(duration)}</li>'
        for name, duration in spent
    )
    return _section("Time", f'{bar}<ul class="legend">{words}</ul>', spent)


def _environment(result: Result) -> str:
    found = result.environment
    rows = [
        ("scenario", f"{result.scenario.file}, SHA-256 {result.scenario.sha256}"),
        ("kernel", found.kernel),
        ("processors", str(found.cpus)),
        ("memory", size(found.memory_bytes)),
        ("harness", f"{found.harness_version} {found.harness_commit}"),
    ]
    if found.engine:
        rows.append(("container engine", f"{found.engine.version}, {found.engine.kind}"))
    if found.cluster:
        rows.append(("cluster", f"{found.cluster.provider}: {found.cluster.reason}"))
    rows += [(node.name, f"containerd {node.containerd}") for node in found.nodes]
    rows += [(each.name, f"{each.provider} {each.version}") for each in found.registries]
    rows += [
        (f"image {image.name}", f"{image.origin}, {image.digest or image.id}")
        for image in found.images
    ]
    notes = "".join(f"<p>{_text(note)}</p>" for note in result.notes)
    return _section("Environment", _listed(rows) + notes, rows)


def _section(heading: str, content: str, things: Sequence[object]) -> str:
    """Return a section, nothing at all when there is nothing to tell."""
    return f"<section>\n<h2>{heading}</h2>\n{content}\n</section>\n" if things else ""


def _listed(rows: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in rows)
    return f"<dl>{items}</dl>"


def _status(check: CheckRecord) -> str:
    word = "waived" if check.waived else STATUS_WORDS[check.status]
    return f'<span class="status {check.status}">{word}</span>'


def _quoted(text: str) -> str:
    return f"<pre>{_text(text)}</pre>"


def _text(text: str) -> str:
    """Return foreign text that is nothing but text in HTML, in attributes too."""
    return escape(printable(text))
