from __future__ import annotations

from typing import Any

import pytest

from harness.diagnosis import FailureCode
from harness.fleet.model import Fell, FleetNode, Gap, Hindered, Missing, Pulled
from harness.fleet.reading import Reader, read_node, why_not_running

Json = dict[str, Any]

IMAGE = "r.test:5000/fleet/a:v1"
PLATFORM = "linux/amd64"
READER = Reader(IMAGE, "fleet-0")
CAUSE = f'failed to resolve reference "{IMAGE}": unexpected status: 401 Unauthorized'
READY = {"type": "Ready", "status": "True"}


def _node(*conditions: Json, system: str = "linux", labels: Json | None = None) -> Json:
    info = {"operatingSystem": system, "architecture": "amd64"}
    return {
        "metadata": {"name": "one", "labels": labels},
        "spec": {},
        "status": {"conditions": list(conditions), "nodeInfo": info},
    }


def _event(
    reason: str, message: str, *, kind: str = "Normal", about: str = "Pod", name: str = "fleet-0-x"
) -> Json:
    return {
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"kind": about, "name": name},
        "type": kind,
        "reason": reason,
        "message": message,
        "source": {"host": "one"},
    }


def _pod(*, node: str = "one", phase: str = "Pending", waiting: Json | None = None) -> Json:
    status: Json = {"phase": phase}
    if waiting is not None:
        status["containerStatuses"] = [{"state": {"waiting": waiting}}]
    return {"spec": {"nodeName": node} if node else {}, "status": status}


def test_ready_node_of_the_platform_is_awaited() -> None:
    assert read_node(_node(READY), PLATFORM) == FleetNode("one")


def test_node_that_is_not_ready_is_named_with_the_reason() -> None:
    condition = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
    }
    missing = Missing(Gap.NOT_READY, "NodeStatusUnknown: Kubelet stopped posting node status.")
    assert read_node(_node(condition), PLATFORM).missing == missing


def test_node_whose_kubelet_never_reported_is_not_ready() -> None:
    missing = Missing(Gap.NOT_READY, "its kubelet never reported")
    assert read_node(_node(), PLATFORM).missing == missing


def test_cordoned_node_is_named_so() -> None:
    node = _node(READY)
    node["spec"]["unschedulable"] = True
    assert read_node(node, PLATFORM).missing == Missing(Gap.CORDONED)


def test_node_of_another_system_is_named_with_it() -> None:
    node = _node(READY, system="windows")
    assert read_node(node, PLATFORM).missing == Missing(Gap.OTHER_PLATFORM, "windows/amd64")


@pytest.mark.parametrize(
    ("label", "value"),
    [("type", "virtual-kubelet"), ("eks.amazonaws.com/compute-type", "fargate")],
)
def test_node_without_a_machine_is_named_by_its_label(label: str, value: str) -> None:
    node = _node(READY, labels={label: value, "zone": "a"})
    assert read_node(node, PLATFORM).missing == Missing(Gap.VIRTUAL_KUBELET, f"{label}={value}")


def test_pulled_event_gives_the_time_without_the_queue() -> None:
    message = f'Successfully pulled image "{IMAGE}" in 1m2.5s (1m3s including waiting).'
    assert READER.event(_event("Pulled", message)) == Pulled("one", 62.5)


def test_pulled_event_of_an_image_that_was_there_gives_no_time() -> None:
    message = f'Container image "{IMAGE}" already present on machine'
    assert READER.event(_event("Pulled", message)) == Pulled("one", None)


def test_events_without_a_source_name_the_node_as_reporting_instance() -> None:
    event = _event("Pulled", f'Successfully pulled image "{IMAGE}" in 5ms')
    event["source"] = {}
    event["reportingInstance"] = "two"
    assert READER.event(event) == Pulled("two", 0.005)


def test_failed_event_gives_the_diagnosis() -> None:
    sign = READER.event(_event("Failed", f'Failed to pull image "{IMAGE}": {CAUSE}'))

    assert isinstance(sign, Fell)
    assert sign.missing.gap is Gap.PULL_REFUSED
    assert sign.missing.diagnosis is not None
    assert sign.missing.diagnosis.code is FailureCode.AUTHENTICATION


def test_other_events_that_name_the_image_tell_nothing() -> None:
    assert READER.event(_event("Pulling", f'Pulling image "{IMAGE}"')) is None


@pytest.mark.parametrize(
    "event",
    [
        _event("Pulled", 'Successfully pulled image "r.test/other:v1" in 1s'),
        _event("Pulled", f'Successfully pulled image "{IMAGE}" in 1s', name="another-x"),
        _event("Pulled", f'Successfully pulled image "{IMAGE}" in 1s', about="Job"),
        _event("FailedCreate", "forbidden", kind="Warning", about="DaemonSet", name="another"),
    ],
)
def test_events_of_others_tell_nothing(event: Json) -> None:
    assert READER.event(event) is None


def test_warning_of_a_pod_hinders_its_node() -> None:
    event = _event("FailedCreatePodSandBox", "no network", kind="Warning")
    assert READER.event(event) == Hindered("one", "FailedCreatePodSandBox: no network")


def test_warning_of_the_daemon_set_hinders_all() -> None:
    event = _event("FailedCreate", "forbidden", kind="Warning", about="DaemonSet", name="fleet-0")
    assert READER.event(event) == Hindered("", "FailedCreate: forbidden")


def test_missing_pull_secret_is_told_apart_from_other_warnings() -> None:
    event = _event("FailedToRetrieveImagePullSecret", "slow", kind="Warning")
    sign = READER.event(event)
    assert isinstance(sign, Hindered)
    assert sign.lacked_secret


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_pod_that_runs_lacks_nothing(phase: str) -> None:
    assert why_not_running(_pod(phase=phase)) == ("one", None)


def test_pod_that_failed_was_not_admitted() -> None:
    pod = _pod(phase="Failed")
    pod["status"] |= {"reason": "OutOfpods", "message": "no room"}
    assert why_not_running(pod) == ("one", Missing(Gap.NOT_ADMITTED, "OutOfpods: no room"))


def test_pod_that_waits_for_its_image_has_refused() -> None:
    node, missing = why_not_running(_pod(waiting={"reason": "ErrImagePull", "message": CAUSE}))

    assert node == "one"
    assert missing is not None
    assert missing.gap is Gap.PULL_REFUSED
    assert missing.diagnosis is not None
    assert missing.diagnosis.code is FailureCode.AUTHENTICATION


def test_pod_that_cannot_start_after_the_pull_is_named_so() -> None:
    waiting = {"reason": "CreateContainerError", "message": "exec format error"}
    missing = Missing(Gap.NOT_STARTED, "CreateContainerError: exec format error")
    assert why_not_running(_pod(waiting=waiting)) == ("one", missing)


def test_pod_that_its_kubelet_has_not_begun_gives_no_answer() -> None:
    assert why_not_running(_pod()) == ("one", Missing(Gap.NO_ANSWER))


def test_pod_that_is_not_scheduled_names_the_node_that_it_is_meant_for() -> None:
    pod = _pod(node="")
    pod["status"]["conditions"] = [
        {"type": "Other"},
        {"type": "PodScheduled", "reason": "Unschedulable", "message": "too many pods"},
    ]
    field = {"key": "metadata.name", "operator": "In", "values": ["two"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    pod["spec"]["affinity"] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
    }

    missing = Missing(Gap.NOT_SCHEDULED, "Unschedulable: too many pods")
    assert why_not_running(pod) == ("two", missing)


def test_pod_that_nobody_has_looked_at_names_no_node() -> None:
    assert why_not_running(_pod(node="")) == ("", Missing(Gap.NOT_SCHEDULED))
