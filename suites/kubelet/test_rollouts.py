"""Rollouts: a changed image replaces the old one everywhere, and one that is refused nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.cluster.rollout_model import ControllerKind
from harness.diagnosis import FailureCode

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.rollouts import Rollouts
    from fixtures.workload import Publish
    from harness.lab import Lab

REPLICAS = 2


@pytest.mark.exclusive
def test_changed_deployment_is_rolled_out(
    lab: Lab, publish: Publish, rollouts: Rollouts, judge: Judge
) -> None:
    """A Deployment whose image changes runs the new one alone, byte for byte the pushed one."""
    old, new = publish(lab.primary), publish(lab.primary)
    kind = ControllerKind.DEPLOYMENT
    with rollouts.running(kind, old, replicas=REPLICAS) as workload:
        rollout = rollouts.change(workload, new.reference)
        judge(checks.rolled_out(rollout, new.image, rollouts.names))
        rollouts.measure(kind, rollout)


@pytest.mark.exclusive
def test_changed_daemon_set_is_rolled_out_on_every_node(
    lab: Lab, publish: Publish, rollouts: Rollouts, judge: Judge
) -> None:
    """A DaemonSet whose image changes runs the new one on each node, tainted ones included."""
    old, new = publish(lab.primary), publish(lab.primary)
    kind = ControllerKind.DAEMON_SET
    with rollouts.running(kind, old) as workload:
        rollout = rollouts.change(workload, new.reference)
        judge(
            checks.rolled_out(rollout, new.image, rollouts.names),
            checks.on_every_node(rollout, rollouts.names),
        )
        rollouts.measure(kind, rollout)


def test_rollout_of_a_missing_image_stops(
    lab: Lab, publish: Publish, rollouts: Rollouts, judge: Judge
) -> None:
    """A Deployment changed to a tag that nobody holds keeps its old pods and names the cause."""
    old = publish(lab.primary)
    missing = old.reference.replace(":v1", ":no-such-tag")
    with rollouts.running(ControllerKind.DEPLOYMENT, old, replicas=REPLICAS) as workload:
        cause = FailureCode.NOT_FOUND
        rollout = rollouts.change_in_vain(workload, missing, cause)
        judge(
            checks.stopped(
                rollout,
                old.reference,
                rollouts.names,
                serving=REPLICAS,
                cause=cause,
            )
        )


@pytest.mark.failure_modes(26)
def test_deployment_with_a_volume_of_one_node_is_rolled_out(
    lab: Lab, publish: Publish, rollouts: Rollouts, judge: Judge
) -> None:
    """A Deployment that holds a ReadWriteOnce volume gives it to the pod of its new image."""
    old, new = publish(lab.primary), publish(lab.primary)
    with rollouts.volume() as claim:
        recreated = rollouts.running(
            ControllerKind.DEPLOYMENT, old, claim=claim.name, strategy="Recreate"
        )
        with recreated as workload:
            judge(checks.fits_volume(workload.workload, rollouts.claim(claim.name)))
            rollout = rollouts.change(workload, new.reference)
            judge(checks.rolled_out(rollout, new.image, rollouts.names))
