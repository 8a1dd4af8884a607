"""Copies when one side is away, how far they are behind, and whether all of it is equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, oci
from harness.cluster.protocols import InContainer
from harness.errors import HarnessError
from harness.faults.containers import Killed, Stopped
from harness.faults.fault import injected
from harness.findings import NotVerified
from harness.lab import ability
from harness.measure import Samples, latency
from harness.wait import wait_until

if TYPE_CHECKING:
    from fixtures.recorder import Judge, Recorder
    from fixtures.replication import CopiedRepository
    from fixtures.workload import Pull
    from harness.history import History
    from harness.lab import Lab
    from harness.registry.protocols import Registry

pytestmark = pytest.mark.exclusive

OUTAGE_LIMIT_SECONDS = 60
HEALTHY_SECONDS = 30


def test_replication_lag(
    copied: tuple[CopiedRepository, ...], recorder: Recorder, judge: Judge
) -> None:
    """How long after its push an image is in the copy, for images pushed one after the other."""
    for each in copied:
        replication = each.replication
        images = [oci.image() for _ in range(replication.spec.samples)]
        operations = replication.burst(images, each.repository)
        for operation in operations:
            recorder.history.append(operation)
        judge(checks.all_arrived(operations))
        subject = f"{replication.spec.source} to {replication.spec.destination}"
        for figure in latency("replication_lag", Samples(checks.lags(operations)), subject=subject):
            recorder.measure(figure)
    judge(*(each.differences() for each in copied))


@pytest.mark.failure_modes(19)
def test_copy_catches_up_after_an_outage(
    copied: tuple[CopiedRepository, ...], history: History, judge: Judge
) -> None:
    """What was pushed, moved and deleted while the copy was away is made good without a push."""
    doomed = oci.image()
    for each in copied:
        each.push(oci.image(), "moved")
        each.push(doomed, "doomed")
    judge(*(each.differences() for each in copied))
    for each in copied:
        container = ability(each.copy, InContainer).container
        with injected(Killed(container), into=history, time_limit_seconds=OUTAGE_LIMIT_SECONDS):
            each.push(oci.image(), "moved")
            each.push(oci.image(), "new")
            each.delete(doomed)
    judge(*(each.differences() for each in copied))
    judge(*(each.kept(doomed) for each in copied))


def test_nodes_pull_from_the_copy_while_the_source_is_away(
    copied: tuple[CopiedRepository, ...], history: History, pull: Pull, judge: Judge
) -> None:
    """Every node gets the same digest from the copy while the source does not run."""
    image = oci.image(layers=2)
    for each in copied:
        each.push(image, "v1")
    judge(*(each.differences() for each in copied))
    for each in copied:
        container = ability(each.source, InContainer).container
        with injected(Stopped(container), into=history, time_limit_seconds=OUTAGE_LIMIT_SECONDS):
            pulls = pull(f"{each.copy.host}/{each.repository}:v1", each.copy.credentials)
        _wait_until_it_answers(each.source)
        judge(checks.all_succeeded(pulls), checks.is_image(pulls, image))


def test_whole_copy_equals_its_source(lab: Lab, judge: Judge) -> None:
    """Each repository of source and copy is the same in both, after all that went before."""
    for replication in lab.replications():
        spec = replication.source.spec
        if spec.provider == "existing" and spec.repository_prefix is None:
            raise NotVerified(f"{spec.name} has no repositoryPrefix: all of it would be read")
        judge(replication.differences(*replication.repositories()))


def _wait_until_it_answers(registry: Registry) -> None:
    def answers() -> bool:
        try:
            return registry.api().ping().status > 0
        except HarnessError:
            return False

    wait_until(answers, timeout_seconds=HEALTHY_SECONDS, what=f"{registry.host} to answer again")
