"""One replica of several is broken: pulls go on, and no push that was acknowledged is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import ONE_ATTEMPT
from harness.faults.containers import Killed, Paused

if TYPE_CHECKING:
    from fixtures.drill import Drill


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_is_dead(drill: Drill) -> None:
    """Nodes pull and clients push while one replica was killed, and it serves again afterwards."""
    drill.serve_during(Killed(drill.replicas[0].container), failing=[ONE_ATTEMPT])


@pytest.mark.exclusive
def test_pulls_go_on_while_a_replica_stands_still(drill: Drill) -> None:
    """Nodes pull and clients push while one replica accepts connections and answers none."""
    clients = replace(ONE_ATTEMPT, lasting=True)  # they wait for the one that has their connection
    nodes = replace(drill.every_node(), held=True)
    drill.serve_during(Paused(drill.replicas[0].container), failing=[clients, nodes])
