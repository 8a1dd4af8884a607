"""Fleet mode with 10 and with 1000 simulated nodes on one control plane.

Harness time is the wall time of a process that runs only our part, from its start to the last
byte of its result, without what it waited for: from a DaemonSet's creation to its last kubelet's
answer, and from its deletion to the end of its last pod. CPU is that of the same process, the
start of the interpreter and imports included.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figure import Figure
from tests.kubernetes.control_plane import compiled_programs
from tests.kubernetes.simulated_fleet import node_names
from tests.kubernetes.simulated_lab import simulated_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.kubernetes.simulated_lab import Run, SimulatedLab

FEW, MANY = 10, 1000
SAMPLES = 3
RATIO = 2
PEAK_MIB = 256
CALLS = 10
RESULT_BYTES = 1024


def measure_fleet(runs: int, announce: Callable[[str], None]) -> list[Figure]:
    """Measure so many runs with few nodes, then as many with many, on one control plane."""
    names = node_names(good=MANY)
    with (
        tempfile.TemporaryDirectory(prefix="pullproof-fleet-") as folder,
        simulated_lab(compiled_programs(), Path(folder)) as lab,
    ):
        lab.add_nodes(names[:FEW])
        few = _runs(lab, "few", runs, announce)
        lab.add_nodes(names[FEW:])
        many = _runs(lab, "many", runs, announce)
    return figures(few, many)


def figures(few: Sequence[Run], many: Sequence[Run]) -> list[Figure]:
    """Return what the runs show: medians of each, and their ratios."""
    return [
        *_grown(
            "harness time", [r.harness_seconds for r in few], [r.harness_seconds for r in many]
        ),
        *_grown("CPU", [r.cost.cpu_seconds for r in few], [r.cost.cpu_seconds for r in many]),
        *(
            Figure(f"{name}, {nodes} nodes", value, unit, samples=len(runs), goal_max=goal)
            for nodes, runs in ((FEW, few), (MANY, many))
            for name, value, unit, goal in _per_node(nodes, runs)
        ),
    ]


def _runs(lab: SimulatedLab, name: str, runs: int, announce: Callable[[str], None]) -> list[Run]:
    done = []
    for number in range(runs):
        run = lab.cover(f"{name}-{number}", samples=SAMPLES)
        done.append(run)
        announce(
            f"{len(run.cost.record.nodes)} nodes, {SAMPLES} samples: harness "
            f"{run.harness_seconds:.2f} s, CPU {run.cost.cpu_seconds:.2f} s, "
            f"in all {run.cost.ended - run.started:.1f} s"
        )
    return done


def _grown(name: str, few: Sequence[float], many: Sequence[float]) -> list[Figure]:
    """Return both medians, and how many times the one the other is."""
    less, more = statistics.median(few), statistics.median(many)
    return [
        Figure(f"{name}, {FEW} nodes", less, "s", samples=len(few)),
        Figure(f"{name}, {MANY} nodes", more, "s", samples=len(many)),
        Figure(
            f"{name}, {MANY} / {FEW} nodes",
            more / less,
            "ratio",
            samples=len(many),
            low=min(many) / max(few),
            high=max(many) / min(few),
            goal_max=RATIO,
            note="between the extremes of all runs",
        ),
    ]


def _per_node(nodes: int, runs: Sequence[Run]) -> list[tuple[str, float, str, float]]:
    """Return the worst of all runs."""
    costs = [run.cost for run in runs]
    documents = [len(cost.record.model_dump_json(indent=4)) for cost in costs]
    return [
        ("memory at its peak", max(cost.peak_bytes for cost in costs) / 2**20, "MiB", PEAK_MIB),
        ("API calls per node", max(cost.calls for cost in costs) / nodes, "calls", CALLS),
        ("result per node", max(documents) / nodes, "bytes", RESULT_BYTES),
    ]
