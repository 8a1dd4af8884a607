"""Refusals: each has one code, whoever tells of it, and pods wait with the reason that belongs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness import checks
from harness.diagnosis import FailureCode
from harness.lab import credentials_of
from harness.scenario import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.cluster.protocols import PodPull
    from harness.findings import Finding
    from harness.lab import Lab

# A kubelet that has begun to wait for its next try shows the second.
PULL_FAILED = ("ErrImagePull", "ImagePullBackOff")


def test_wrong_password_is_named_alike_by_all(
    lab: Lab, publish: Publish, pods: Pods, pull: Pull, judge: Judge
) -> None:
    """Status, events, runtime and registry name a wrong password as authentication."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    wrong = replace(credentials_of(registry), password=lab.new_password())
    image = publish(registry)
    code = FailureCode.AUTHENTICATION
    pulls = pods.pull(image.reference, pods.secret({registry.host: wrong}), with_status=True)
    judge(_refused_with(pulls, code, PULL_FAILED))
    judge(checks.all_refused(pull(image.reference, wrong), code))
    answer = registry.api(wrong).refusal(image.repository, "v1")
    judge(checks.answered(registry.host, answer, code))


def test_missing_tag_is_named_alike_by_all(
    lab: Lab, publish: Publish, pods: Pods, pull: Pull, judge: Judge
) -> None:
    """Status, events, runtime and registry name a missing tag as not found."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    credentials = credentials_of(registry)
    image = publish(registry)
    reference = f"{registry.host}/{image.repository}:missing"
    code = FailureCode.NOT_FOUND
    pulls = pods.pull(reference, pods.secret({registry.host: credentials}), with_status=True)
    judge(_refused_with(pulls, code, PULL_FAILED))
    judge(checks.all_refused(pull(reference, credentials), code))
    answer = registry.api().refusal(image.repository, "missing")
    judge(checks.answered(registry.host, answer, code))


def test_unknown_ca_is_named_alike_by_all(
    lab: Lab, publish: Publish, pods: Pods, pull: Pull, judge: Judge
) -> None:
    """Status, events and runtime name a certificate of an unknown authority."""
    reference = publish(lab.find(kinds.UNKNOWN_CA)).reference
    code = FailureCode.TLS_UNKNOWN_CA
    judge(_refused_with(pods.pull(reference, with_status=True), code, PULL_FAILED))
    judge(checks.all_refused(pull(reference), code))


def test_unknown_name_is_named_alike_by_all(pods: Pods, pull: Pull, judge: Judge) -> None:
    """Status, events and runtime name a host that nobody can resolve."""
    reference = "registry.pullproof.invalid/team/app:v1"
    code = FailureCode.NAME_RESOLUTION
    judge(_refused_with(pods.pull(reference, with_status=True), code, PULL_FAILED))
    judge(checks.all_refused(pull(reference), code))


def test_closed_port_is_named_alike_by_all(lab: Lab, pods: Pods, pull: Pull, judge: Judge) -> None:
    """Status, events and runtime name a port on which nobody listens."""
    reference = f"{lab.primary.host.partition(':')[0]}:1/team/app:v1"
    code = FailureCode.CONNECTION
    judge(_refused_with(pods.pull(reference, with_status=True), code, PULL_FAILED))
    judge(checks.all_refused(pull(reference), code))


def test_invalid_image_name_is_named_alike_by_all(
    lab: Lab, pods: Pods, pull: Pull, judge: Judge
) -> None:
    """Status, events and runtime name a reference that cannot be read."""
    reference = f"{lab.primary.host}/Team/App:v1"
    code = FailureCode.INVALID_REFERENCE
    judge(_refused_with(pods.pull(reference, with_status=True), code, ("InvalidImageName",)))
    judge(checks.all_refused(pull(reference), code))


def _refused_with(
    pulls: Sequence[PodPull], code: FailureCode, reasons: Sequence[str]
) -> Iterator[Finding]:
    """Find pods that were not refused so, by their status, its reason and their events."""
    yield from checks.all_refused(pulls, code)
    yield from checks.waited_with(pulls, *reasons)
    yield from checks.told_by_events(pulls, code)
