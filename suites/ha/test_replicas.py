"""One replica of several is broken: pulls go on, and no push that was acknowledged is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.faults.containers import Killed, Paused, Stopped

if TYPE_CHECKING:
    from fixtures.drill import Drill


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_is_dead(drill: Drill) -> None:
    """Nodes pull while one replica was killed, and it serves again when it is started."""
    drill.pull_during(Killed(drill.replicas[0].container))


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_stands_still(drill: Drill) -> None:
    """Nodes pull while one replica accepts connections and answers none of them."""
    drill.pull_during(Paused(drill.replicas[0].container))


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_is_stopped(drill: Drill) -> None:
    """Nodes pull while one replica is taken out as for an upgrade."""
    drill.pull_during(Stopped(drill.replicas[-1].container))


@pytest.mark.exclusive
def test_acknowledged_pushes_survive_the_death_of_a_replica(drill: Drill) -> None:
    """What was acknowledged before and while a replica died is served by all, the rest repeated."""
    drill.push_during(Killed(drill.replicas[0].container))
