from __future__ import annotations

import pytest

from harness.cluster.pod_events import (
    ImageTimes,
    Phase,
    PodState,
    diagnose_events,
    diagnose_refusal,
    duration_seconds,
    image_times,
    lacks_secret,
    pod_events,
    pod_state,
    state_told,
)
from harness.cluster.protocols import PodEvent
from harness.diagnosis import FailureCode

IMAGE = "r.test:5000/a:1"
CAUSE = "unexpected status from HEAD request to https://r.test:5000/v2/a/manifests/1: 401"
FAILED = PodEvent("Warning", "Failed", f'Failed to pull image "{IMAGE}": {CAUSE}')
HELD_BACK = PodEvent("Warning", "Failed", f'Failed to pull image "{IMAGE}": pull QPS exceeded')
ECHO = PodEvent("Warning", "Failed", "Error: ErrImagePull")
BACK_OFF = f'Back-off pulling image "{IMAGE}"'


def _pod(state: dict[str, object], image_id: str = "") -> dict[str, object]:
    return {"status": {"containerStatuses": [{"imageID": image_id, "state": state}]}}


def _waiting(reason: str, message: str = "") -> dict[str, object]:
    return _pod({"waiting": {"reason": reason, "message": message}})


def _pulled(message: str) -> PodEvent:
    return PodEvent("Normal", "Pulled", message)


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"status": {"phase": "Pending"}},
        _pod({}),
        _waiting("ContainerCreating"),
        _waiting("PodInitializing"),
        _waiting("ErrImagePull", "pull QPS exceeded"),
        _waiting("ImagePullBackOff", f"{BACK_OFF}: ErrImagePull: pull QPS exceeded"),
    ],
)
def test_pod_whose_pull_has_not_ended_waits(pod: dict[str, object]) -> None:
    assert pod_state(pod).phase is Phase.WAITING


@pytest.mark.parametrize(
    "pod",
    [
        _pod({"running": {}}),
        _pod({"terminated": {}}),
        _pod({"waiting": {"reason": "ContainerCreating"}}, "r.test/a@sha256:1"),
        _waiting("RunContainerError", "no such file"),
        _waiting("CreateContainerConfigError"),
    ],
)
def test_pod_whose_container_came_after_the_pull_has_pulled(pod: dict[str, object]) -> None:
    assert pod_state(pod).phase is Phase.PULLED


def test_image_id_is_read_once_the_container_was_created() -> None:
    assert pod_state(_pod({"running": {}}, "r.test/a@sha256:1")).image_id == "r.test/a@sha256:1"
    assert pod_state(_pod({"running": {}})).image_id == ""


@pytest.mark.parametrize(
    "reason",
    [
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"),
        *("ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"),
        "illegal base64 data at input byte 3",
    ],
)
def test_other_reasons_to_wait_are_refusals(reason: str) -> None:
    assert pod_state(_waiting(reason, "why")) == PodState(Phase.REFUSED, "", reason, "why")


def test_pod_that_its_node_did_not_take_is_refused() -> None:
    pod = {"status": {"phase": "Failed", "reason": "OutOfpods", "message": "too many"}}

    assert pod_state(pod) == PodState(Phase.REFUSED, "", "OutOfpods", "too many")


def test_state_is_shown_in_words() -> None:
    assert str(PodState(Phase.WAITING)) == "no status yet"
    assert str(PodState(Phase.REFUSED, "", "ErrImagePull", "why")) == "ErrImagePull: why"


def test_events_are_read_in_the_order_of_their_names() -> None:
    later = {"metadata": {"name": "p.18b"}, "type": "Warning", "reason": "Failed", "message": "m"}
    earlier = {"metadata": {"name": "p.18a"}}

    assert pod_events([later, earlier]) == (
        PodEvent("", "", ""),
        PodEvent("Warning", "Failed", "m"),
    )


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], PodState(Phase.WAITING)),
        ([PodEvent("Normal", "Pulling", f'Pulling image "{IMAGE}"')], PodState(Phase.WAITING)),
        ([PodEvent("Normal", "Pulled", "already present")], PodState(Phase.PULLED)),
        ([FAILED], PodState(Phase.REFUSED, message=CAUSE)),
        (
            [PodEvent("Warning", "ErrImageNeverPull", "not present")],
            PodState(Phase.REFUSED, message="not present"),
        ),
        ([HELD_BACK, ECHO], PodState(Phase.WAITING)),
        ([PodEvent("Normal", "BackOff", BACK_OFF)], PodState(Phase.WAITING)),
        ([HELD_BACK, ECHO, FAILED, ECHO], PodState(Phase.REFUSED, message=CAUSE)),
        (
            [PodEvent("Warning", "Failed", "Error: illegal base64 data at input byte 4")],
            PodState(Phase.REFUSED, message="illegal base64 data at input byte 4"),
        ),
        (
            [FAILED, PodEvent("Normal", "Pulled", "the next try")],
            PodState(Phase.REFUSED, message=CAUSE),
        ),
    ],
)
def test_events_alone_tell_how_far_an_image_is(events: list[PodEvent], expected: PodState) -> None:
    assert state_told(events) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0.0),
        ("850ms", 0.85),
        ("1.5s", 1.5),
        ("1m2.345s", 62.345),
        ("1h0m0.5s", 3600.5),
        ("12\u00b5s", 12e-6),
        ("12us", 12e-6),
        ("7ns", 7e-9),
        ("", None),
        ("soon", None),
        ("1.5s later", None),
    ],
)
def test_duration_is_read_as_go_writes_it(text: str, seconds: float | None) -> None:
    assert duration_seconds(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("rest", "pulling", "queueing"),
    [
        ("in 1.2s (1.5s including waiting). Image size: 7 bytes.", 1.2, 0.3),
        ("in 101ms (101ms including waiting). Image size: 7 bytes.", 0.101, 0.0),
        ("in 2ms (1ms including waiting)", 0.002, 0.0),
        ("in 1.2s", 1.2, None),
        ("in 1.2s. Image size: 7 bytes.", 1.2, None),
    ],
)
def test_pulling_and_queueing_are_told_apart(
    rest: str, pulling: float, queueing: float | None
) -> None:
    times = image_times([FAILED, _pulled(f'Successfully pulled image "{IMAGE}" {rest}')])

    assert times.pulling_seconds == pytest.approx(pulling)
    assert times.queueing_seconds == (None if queueing is None else pytest.approx(queueing))
    assert not times.already_present


def test_secret_that_the_kubelet_did_not_get_is_known() -> None:
    lacked = PodEvent("Warning", "FailedToRetrieveImagePullSecret", "Unable to retrieve some")

    assert lacks_secret([FAILED, lacked])
    assert not lacks_secret([FAILED])


@pytest.mark.parametrize("rest", ["", " and can be accessed by the pod"])
def test_image_that_was_there_has_no_times(rest: str) -> None:
    told = _pulled(f'Container image "{IMAGE}" already present on machine{rest}')

    assert image_times([told]) == ImageTimes(already_present=True)


def test_events_that_tell_no_times_give_none() -> None:
    assert image_times([]) == ImageTimes()
    assert image_times([_pulled("in a language of its own")]) == ImageTimes()


def test_refusal_is_named_by_the_message_of_the_status() -> None:
    named = diagnose_refusal(PodState(Phase.REFUSED, "", "ErrImagePull", CAUSE), ())

    assert (named.code, named.evidence) == (FailureCode.AUTHENTICATION, CAUSE)


def test_back_off_that_repeats_the_cause_is_named_by_it() -> None:
    state = PodState(Phase.REFUSED, "", "ImagePullBackOff", f"{BACK_OFF}: ErrImagePull: {CAUSE}")

    assert diagnose_refusal(state, ()).evidence == CAUSE


def test_back_off_that_says_no_more_is_named_by_the_event() -> None:
    state = PodState(Phase.REFUSED, "", "ImagePullBackOff", BACK_OFF)

    assert diagnose_refusal(state, [FAILED]).code is FailureCode.AUTHENTICATION
    assert diagnose_refusal(state, ()).evidence == BACK_OFF


def test_refusal_without_a_message_is_named_by_its_reason() -> None:
    named = diagnose_refusal(PodState(Phase.REFUSED, "", "SignatureValidationFailed"), ())

    assert named.code is FailureCode.POLICY


def test_code_that_the_runtime_gave_counts_where_its_words_say_nothing() -> None:
    message = "rpc error: code = NotFound desc = nothing there"

    assert diagnose_refusal(PodState(Phase.REFUSED, "", "", message), ()).code == "not-found"


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([HELD_BACK, ECHO, FAILED], "authentication"),
        (
            [
                PodEvent(
                    "Warning",
                    "ErrImageNeverPull",
                    f'Container image "{IMAGE}" is not present with pull policy of Never',
                )
            ],
            "policy",
        ),
    ],
)
def test_events_alone_name_the_cause(events: list[PodEvent], code: str) -> None:
    named = diagnose_events(events)

    assert named is not None
    assert named.code == code


def test_events_without_a_refusal_name_nothing() -> None:
    assert diagnose_events([PodEvent("Normal", "Pulling", ""), HELD_BACK, ECHO]) is None
