"""A node that is cut off from a registry of several replicas, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, workload
from harness.cluster.protocols import InContainer
from harness.diagnosis import FailureCode
from harness.faults.fault import injected
from harness.faults.network import CutOff
from harness.lab import ability
from harness.pool import Pool

if TYPE_CHECKING:
    from fixtures.drill import Drill
    from fixtures.workload import Publish, Pull

PULL_SECONDS = 1.5
CUT_SECONDS = 30.0


@pytest.mark.exclusive
def test_node_that_was_cut_off_pulls_again(drill: Drill, publish: Publish, pull: Pull) -> None:
    """A node that does not reach the load balancer cannot pull, others can, and it soon after."""
    registry, history = drill.registry, drill.recorder.history
    cut, *others = drill.lab.nodes
    image = publish(registry)
    fault = CutOff(ability(cut, InContainer).container, drill.load_balancer.container)
    with injected(fault, into=history, time_limit_seconds=CUT_SECONDS), Pool(2) as pool:
        refused = pool.submit(
            cut.pull, image.reference, registry.credentials, timeout_seconds=PULL_SECONDS
        )
        served = workload.pull_on(others, image.reference, registry.credentials)
        pulls = (refused.result(), *served)
    for each in pulls:
        history.append(workload.as_operation(each, image.image.size))
    drill.judge(
        checks.all_refused(pulls[:1], FailureCode.TIMEOUT),
        checks.all_succeeded(pulls[1:]),
        checks.all_succeeded(pull(image.reference, registry.credentials)),
    )
