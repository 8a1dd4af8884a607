"""A node that cannot pull from a registry of several replicas for a while, and can again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harness import checks, workload
from harness.cluster.protocols import InContainer, RunsRuntime
from harness.diagnosis import FailureCode
from harness.errors import WaitTimeoutError
from harness.faults.fault import caused, injected
from harness.faults.names import NamesUnresolved
from harness.faults.network import CutOff
from harness.faults.runtimes import RuntimeRestarted
from harness.lab import ability
from harness.pool import Pool
from harness.wait import wait_until

if TYPE_CHECKING:
    from fixtures.drill import Drill
    from fixtures.workload import Publish, Pull

PULL_SECONDS = 1.5
CUT_SECONDS = 30.0
RUNTIME_SECONDS = 30.0


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


@pytest.mark.exclusive
def test_node_without_names_pulls_again(drill: Drill, publish: Publish, pull: Pull) -> None:
    """A node whose nameserver is down tells so when it pulls, and pulls once that is back."""
    registry, history = drill.registry, drill.recorder.history
    fault = NamesUnresolved(ability(drill.lab.nodes[0], InContainer).container)
    image = publish(registry)
    with injected(fault, into=history, time_limit_seconds=CUT_SECONDS):
        pulls = pull(image.reference, registry.credentials)
    drill.judge(
        checks.all_refused(pulls[:1], FailureCode.NAME_RESOLUTION),
        checks.all_succeeded(pulls[1:]),
        checks.all_succeeded(pull(image.reference, registry.credentials)),
    )


@pytest.mark.exclusive
def test_node_whose_runtime_restarted_pulls_as_before(
    drill: Drill, publish: Publish, pull: Pull
) -> None:
    """A node whose container runtime was restarted, as by an upgrade, pulls as it did before."""
    registry, runtime = drill.registry, ability(drill.lab.nodes[0], RunsRuntime)
    image = publish(registry)
    drill.judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    restarted = RuntimeRestarted(runtime.container, runtime.runtime_unit)
    caused(restarted, into=drill.recorder.history)
    with suppress(WaitTimeoutError):  # the pull tells what is wrong
        wait_until(runtime.answers, timeout_seconds=RUNTIME_SECONDS, what="the runtime to answer")
    fresh = publish(registry)
    drill.judge(checks.all_succeeded(pull(fresh.reference, registry.credentials)))
