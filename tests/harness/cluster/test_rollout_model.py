from __future__ import annotations

import pytest

from harness.cluster.protocols import PodEvent
from harness.cluster.rollout_model import HangCode, hang_of
from harness.diagnosis import FailureCode

MULTI_ATTACH = (
    'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node '
    "and can't be attached to another"
)


def warning(reason: str, message: str) -> PodEvent:
    return PodEvent("Warning", reason, message)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FailedAttachVolume: " + MULTI_ATTACH, HangCode.VOLUME_MULTI_ATTACH),
        ("FailedAttachVolume: AttachVolume.Attach failed", HangCode.VOLUME_ATTACH),
        ("FailedMount: MountVolume.SetUp failed", HangCode.VOLUME_MOUNT),
        ("ErrImageNeverPull: is not present", HangCode.IMAGE_PULL),
        ("CrashLoopBackOff: back-off 10s restarting", HangCode.CONTAINER),
        ("CreateContainerConfigError: secret not found", HangCode.CONTAINER),
        ("FailedCreatePodSandBox: no network", HangCode.SANDBOX),
        ("Unschedulable: 3 nodes have unbound PersistentVolumeClaims", HangCode.VOLUME_UNBOUND),
        ("Unschedulable: 0/3 nodes are available", HangCode.UNSCHEDULABLE),
        ("ReplicaFailure: exceeded quota", HangCode.POD_REFUSED),
        ("ContainerCreating: ", HangCode.NOT_READY),
    ],
)
def test_what_a_status_says_is_given_a_code(line: str, code: HangCode) -> None:
    hang = hang_of([line], [])

    assert (hang.code, hang.evidence, hang.pull_failure is None) == (
        code,
        line if code is not HangCode.IMAGE_PULL else f"unknown: {line}",
        code is not HangCode.IMAGE_PULL,
    )
    assert hang.remedy


def test_image_that_cannot_be_pulled_has_the_code_of_its_failure() -> None:
    message = "failed to resolve reference: x509: certificate signed by unknown authority"

    hang = hang_of([f"ErrImagePull: {message}"], [])

    assert hang.pull_failure is FailureCode.TLS_UNKNOWN_CA
    assert hang.evidence.startswith("tls-unknown-ca: ErrImagePull: ")


def test_status_decides_before_events_of_what_is_over() -> None:
    over = warning("FailedMount", "configmap is not registered")

    hang = hang_of(["ErrImagePull: not found"], [over])

    assert hang.code is HangCode.IMAGE_PULL


def test_events_decide_where_the_status_says_nothing() -> None:
    events = [
        warning("FailedScheduling", "0/3 nodes are available"),
        warning("FailedMount", "Unable to attach or mount volumes: timed out"),
        warning("FailedAttachVolume", MULTI_ATTACH),
        PodEvent("Normal", "FailedCreatePodSandBox", "is no warning"),
    ]

    hang = hang_of(["ContainerCreating: "], events)

    assert hang.code is HangCode.VOLUME_MULTI_ATTACH
    assert hang.evidence == f"FailedAttachVolume: {MULTI_ATTACH}"


def test_pod_of_which_nothing_is_said_is_not_ready() -> None:
    hang = hang_of([], [])

    assert (hang.code, hang.evidence) == (HangCode.NOT_READY, "nothing was said of it")
