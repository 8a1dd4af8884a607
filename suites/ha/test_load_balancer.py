"""What stands before the replicas: nobody is served without it, and all are when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness.diagnosis import FailureCode
from harness.faults.containers import Restarted
from harness.workload import CLIENT

if TYPE_CHECKING:
    from fixtures.drill import Drill

# Docker knows the name only of a container that runs.
GONE = (FailureCode.CONNECTION, FailureCode.TIMEOUT, FailureCode.NAME_RESOLUTION)


@pytest.mark.exclusive
def test_pulls_recover_from_a_restart_of_the_load_balancer(drill: Drill) -> None:
    """Nodes pull again as soon as the load balancer is back; how long they could not is told."""
    drill.serve_through(
        Restarted(drill.load_balancer.container),
        failing=[drill.every_node(*GONE), Users((CLIENT,), GONE, always=False)],
    )
