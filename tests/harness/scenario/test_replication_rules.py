from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.scenario.test_rules import breaches

if TYPE_CHECKING:
    from pathlib import Path

REGISTRIES = (
    "registries:\n  - {name: a, tls: {}}\n  - {name: b, tls: {}}\n  - {name: c, tls: {}}\n"
    "  - {name: plain}\n  - {name: cache, tls: {}, proxyOf: a}\n"
    "  - {name: two, tls: {}, replicas: 2}\nreplication:\n"
)
FIRST_LINE = 11


def row(source: str, destination: str, *more: str) -> str:
    return f"  - {{{', '.join((f'source: {source}', f'destination: {destination}', *more))}}}\n"


@pytest.mark.parametrize(
    ("rows", "line", "problem", "remedy"),
    [
        (row("a", "bb"), 0, "bb, the destination of a replication, is no registry", "mean b?"),
        (row("x", "b"), 0, "x, the source of a replication, is no registry", "Name a registry"),
        (row("plain", "b"), 0, "plain takes part in a replication, whose tool", "tls: {}"),
        (row("a", "cache"), 0, "cache is a pull-through cache, which takes no pushes", "none"),
        (row("two", "b"), 0, "the replicas of two would tell of its changes in no", "schedule"),
        (row("a", "a"), 0, "a would be copied to itself: a to a", "one direction"),
        (row("a", "b") + row("b", "a"), 1, "a would be copied to itself: a to b to a", "one dir"),
        (
            row("a", "b") + row("b", "c") + row("c", "a"),
            2,
            "a would be copied to itself: a to b to c to a",
            "Replicate in one direction only.",
        ),
        (row("a", "c") + row("b", "c"), 1, "c is the destination of two", "Give each its own"),
        (
            row("a", "b", "trigger: schedule"),
            0,
            "a replication on a schedule lacks everySeconds",
            "Add everySeconds: 60.",
        ),
        (row("a", "b", "everySeconds: 5"), 0, "everySeconds is for a schedule", "trigger: sch"),
        (
            row("a", "b", "trigger: schedule", "everySeconds: 15"),
            0,
            "withinSeconds ends before the next copy begins",
            "longer than everySeconds",
        ),
    ],
)
def test_replication_that_cannot_be_is_refused(
    tmp_path: Path, rows: str, line: int, problem: str, remedy: str
) -> None:
    [found] = breaches(tmp_path, REGISTRIES + rows)
    assert found.startswith(f"{FIRST_LINE + line}: {problem}")
    assert remedy in found


@pytest.mark.parametrize(
    "rows",
    [
        row("a", "b"),
        row("a", "b") + row("a", "c"),
        row("a", "b") + row("b", "c"),
        row("two", "b", "trigger: schedule", "everySeconds: 2"),
    ],
)
def test_replication_that_can_be_is_accepted(tmp_path: Path, rows: str) -> None:
    assert breaches(tmp_path, REGISTRIES + rows) == []


def test_registries_that_exist_replicate_by_themselves_and_only_among_each_other(
    tmp_path: Path,
) -> None:
    existing = (
        "cluster: {provider: existing}\nregistries:\n"
        "  - {name: a, provider: existing, host: a.test}\n"
        "  - {name: b, provider: existing, host: b.test}\nreplication:\n"
    )
    assert breaches(tmp_path, existing + row("a", "b")) == []
    mixed = existing.replace("provider: existing, host: b.test", "tls: {}")
    assert any(
        "only one of a and b exists" in each for each in breaches(tmp_path, mixed + row("a", "b"))
    )
