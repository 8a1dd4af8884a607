"""One replica of several is broken: pulls go on, and no push that was acknowledged is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import ONE_ATTEMPT
from harness.faults.containers import Killed, Paused, Stopped

if TYPE_CHECKING:
    from fixtures.drill import Drill

# Of a replica that ends by itself nobody waits for a sign, so that less of the time shows as much.
HOLD_RATIO = 1 / 3


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_is_dead(drill: Drill) -> None:
    """Nodes pull and clients push while one replica was killed, and it serves again afterwards."""
    drill.serve_during(Killed(drill.replicas[0].container), failing=[ONE_ATTEMPT])


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_stands_still(drill: Drill) -> None:
    """Nodes pull and clients push while one replica accepts connections and answers none."""
    waiting = replace(ONE_ATTEMPT, lasting=True)  # for the replica that has their connection
    drill.serve_during(Paused(drill.replicas[0].container), failing=[waiting])


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_is_stopped(drill: Drill) -> None:
    """Nodes pull and clients push while one replica is taken out as for an upgrade."""
    stopped = Stopped(drill.replicas[-1].container)
    drill.serve_during(stopped, failing=[ONE_ATTEMPT], hold_ratio=HOLD_RATIO)
