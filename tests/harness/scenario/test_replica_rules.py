from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.scenario.test_rules import PRIMARY, breaches

if TYPE_CHECKING:
    from pathlib import Path

REPLICATED = "registries:\n  - {name: primary, replicas: 2}\n"


@pytest.mark.parametrize(
    ("rows", "line", "problem"),
    [
        (
            f"{PRIMARY}  - {{name: a, proxyOf: primary,\n     replicas: 2}}\n",
            6,
            "a is a cache with replicas, which would each fetch alone",
        ),
        (
            f"{REPLICATED}capabilities: [integrity, trust, latency]\n",
            4,
            "the replicas of primary see the load balancer for all nodes, but trust, latency",
        ),
        (f"{PRIMARY}  - {{name: a, replicas: 6}}\n", 5, "registries[1].replicas"),
    ],
)
def test_replicas_that_cannot_be_are_refused(
    tmp_path: Path, rows: str, line: int, problem: str
) -> None:
    [found] = breaches(tmp_path, rows)
    assert found.startswith(f"{line}: {problem}")


@pytest.mark.parametrize(
    "rows",
    [f"{PRIMARY}  - {{name: a, replicas: 2}}\n", f"{REPLICATED}capabilities: [integrity]\n"],
)
def test_replicas_that_can_be_are_accepted(tmp_path: Path, rows: str) -> None:
    assert breaches(tmp_path, rows) == []
