"""Nodes that cannot pull for a while, and can again; nobody else notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import PULL_SECONDS, Users
from harness.cluster.protocols import InContainer, RunsRuntime
from harness.diagnosis import FailureCode
from harness.faults.containers import Stopped
from harness.faults.names import NamesUnresolved
from harness.faults.network import CutOff
from harness.faults.runtimes import RuntimeStopped
from harness.lab import ability

if TYPE_CHECKING:
    from fixtures.drill import Drill
    from harness.faults.fault import Fault

# Nothing has to be noticed first, so that less of the scenario's time shows as much.
HOLD_RATIO = 1 / 3
# Who is cut off waits for an answer, and does so for this share of the scenario's time at most, but
# so long that one who is not would have got it.
PATIENCE_RATIO = 1 / 4
PATIENCE_SECONDS = 2.0


@pytest.mark.exclusive
def test_nodes_without_network_or_names_pull_again(drill: Drill) -> None:
    """A node that does not reach the registry, or its nameserver, tells so, and soon pulls again.

    They are two, or one that suffers both where there is no other.
    """
    cut, nameless = drill.lab.nodes[0], drill.lab.nodes[-1]
    causes = {nameless.name: [FailureCode.NAME_RESOLUTION]}
    causes.setdefault(cut.name, []).append(FailureCode.TIMEOUT)
    patience_seconds = max(PATIENCE_SECONDS, PATIENCE_RATIO * drill.lab.scenario.ha.hold_seconds)
    patience = {cut.name: patience_seconds}
    drill.serve_during(
        CutOff(ability(cut, InContainer).container, drill.load_balancer.container),
        NamesUnresolved(ability(nameless, InContainer).container),
        failing=[
            Users((name,), tuple(told), limit_seconds=patience.get(name, PULL_SECONDS))
            for name, told in causes.items()
        ],
        lasting=True,
        hold_ratio=HOLD_RATIO,
    )


@pytest.mark.exclusive
def test_node_whose_runtime_restarted_pulls_as_before(drill: Drill) -> None:
    """A node whose container runtime was down, or that was, pulls as it did before; others do.

    They are two where a runtime can be down while its node is not, and there is another node.
    """
    first, last = drill.lab.nodes[0], drill.lab.nodes[-1]
    runtime = ability(first, RunsRuntime)
    faults: list[Fault] = [RuntimeStopped(runtime.container, runtime.runtime_unit)]
    if runtime.runtime_unit and last is not first:
        faults.append(Stopped(ability(last, InContainer).container))
    away = [Users((each.subject,), (FailureCode.NODE_RUNTIME,)) for each in faults]
    drill.serve_during(*faults, failing=away, lasting=True, hold_ratio=HOLD_RATIO)
    drill.judge(drill.wait_for_kubelets())
