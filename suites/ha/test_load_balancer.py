"""What stands before the replicas: no node can pull without it, and all can when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.faults.containers import Restarted

if TYPE_CHECKING:
    from fixtures.drill import Drill


@pytest.mark.exclusive
def test_pulls_recover_from_a_restart_of_the_load_balancer(drill: Drill) -> None:
    """Nodes pull again as soon as the load balancer is back; how long they could not is told."""
    drill.pull_through(Restarted(drill.load_balancer.container))
