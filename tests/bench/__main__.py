"""Measure, print a table, keep the figures: `nox -s bench -- --pairs 30`, or `-- --fleet 3`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from harness import machine
from harness.lifecycle.run import new_run_id
from tests.bench.fleet import measure_fleet
from tests.bench.pulls import measure_pulls
from tests.bench.whole_run import measure_whole_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.figure import Figure


COLUMNS = 130


@dataclass(frozen=True)
class Surroundings:
    """Where and when figures were taken; a high load of others makes them worthless."""

    started: str
    commit: str
    kernel: str
    cpus: int
    load_before: float
    load_after: float


def main() -> None:
    """Run all benchmarks one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=30, help="pairs of pulls (default: 30)")
    parser.add_argument(
        "--fleet", type=int, metavar="RUNS", help="measure fleet mode instead, so many runs each"
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the JSON")
    options = parser.parse_args()
    # A pipe has no width of its own; rich would take 80 columns and break every line.
    console = Console(width=None if sys.stdout.isatty() else COLUMNS)
    started, load = datetime.now(UTC), os.getloadavg()[0]
    if options.fleet:
        figures = measure_fleet(options.fleet, console.print)
    else:
        figures = [
            *measure_whole_run(console.print),
            *measure_pulls(options.pairs, console.print),
        ]
    surroundings = Surroundings(
        started=started.isoformat(timespec="seconds"),
        commit=machine.harness_commit(),
        kernel=machine.kernel(),
        cpus=machine.cpus(),
        load_before=load,
        load_after=os.getloadavg()[0],
    )
    console.print(table(figures, surroundings))
    file = options.results / f"bench-{new_run_id(started)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document(figures, surroundings))
    console.print(f"kept in {file}")


def table(figures: Sequence[Figure], surroundings: Surroundings) -> Table:
    """Return the figures as a table."""
    title = (
        f"{surroundings.cpus} processors; load {surroundings.load_before:.1f} before, "
        f"{surroundings.load_after:.1f} after"
    )
    rows = Table("figure", "value", "95% interval", "goal", "", "note", title=title)
    for figure in figures:
        between = f"{figure.low:.4f} to {figure.high:.4f}" if figure.low is not None else ""
        goal = f"<= {figure.goal_max:g}" if figure.goal_max is not None else ""
        value = f"{figure.value:.4f}{' s' if figure.unit == 's' else ''}"
        rows.add_row(figure.name, value, between, goal, figure.verdict, figure.note)
    return rows


def document(figures: Sequence[Figure], surroundings: Surroundings) -> str:
    """Return the figures as JSON."""
    rows = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
    return json.dumps({"surroundings": asdict(surroundings), "figures": rows}, indent=2) + "\n"


if __name__ == "__main__":
    main()
