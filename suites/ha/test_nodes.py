"""A node that cannot pull for a while, and can again; nobody else notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness.cluster.protocols import InContainer, RunsRuntime
from harness.diagnosis import FailureCode
from harness.faults.names import NamesUnresolved
from harness.faults.network import CutOff
from harness.faults.runtimes import RuntimeRestarted, RuntimeStopped
from harness.lab import ability

if TYPE_CHECKING:
    from fixtures.drill import Drill

# Nothing has to be noticed first, so that less of the scenario's time shows as much.
HOLD_RATIO = 1 / 3
# Who is cut off waits for an answer, and does so for this share of the scenario's time at most.
PATIENCE_RATIO = 1 / 6


@pytest.mark.exclusive
def test_node_that_was_cut_off_pulls_again(drill: Drill) -> None:
    """A node that does not reach the load balancer cannot pull, others can, and it soon after."""
    node = drill.lab.nodes[0]
    fault = CutOff(ability(node, InContainer).container, drill.load_balancer.container)
    limit_seconds = PATIENCE_RATIO * drill.lab.scenario.ha.hold_seconds
    waits = Users((node.name,), (FailureCode.TIMEOUT,), limit_seconds=limit_seconds)
    drill.serve_during(fault, failing=[waits], lasting=True, hold_ratio=HOLD_RATIO)


@pytest.mark.exclusive
def test_node_without_names_pulls_again(drill: Drill) -> None:
    """A node whose nameserver is down tells so when it pulls, and pulls once that is back."""
    node = drill.lab.nodes[0]
    fault = NamesUnresolved(ability(node, InContainer).container)
    asks = Users((node.name,), (FailureCode.NAME_RESOLUTION,))
    drill.serve_during(fault, failing=[asks], lasting=True, hold_ratio=HOLD_RATIO)


@pytest.mark.exclusive
def test_node_whose_runtime_restarted_pulls_as_before(drill: Drill) -> None:
    """A node whose container runtime was restarted, as by an upgrade, pulls as it did before."""
    node = drill.lab.nodes[0]
    runtime = ability(node, RunsRuntime)
    away = Users((node.name,), (FailureCode.NODE_RUNTIME,), always=False)
    drill.serve_through(RuntimeRestarted(runtime.container, runtime.runtime_unit), failing=[away])


@pytest.mark.exclusive
def test_node_that_was_stopped_pulls_again(drill: Drill) -> None:
    """A node that does not run cannot pull, others can, and it soon after it was started."""
    node = drill.lab.nodes[0]
    runtime = ability(node, RunsRuntime)
    away = Users((node.name,), (FailureCode.NODE_RUNTIME,))
    drill.serve_during(
        RuntimeStopped(runtime.container, runtime.runtime_unit),
        failing=[away],
        lasting=True,
        hold_ratio=HOLD_RATIO,
    )
