from __future__ import annotations

import pytest

from harness import checks
from harness.cluster.protocols import PodEvent, PodPull
from harness.diagnosis import Diagnosis, FailureCode, diagnose
from harness.findings import Code, Inconclusive

AUTHENTICATION = FailureCode.AUTHENTICATION
REFUSAL = PodEvent("Warning", "Failed", 'Failed to pull image "r.test/a:1": authorization failed')


def pod(
    node: str = "node-1",
    *,
    failure: FailureCode | None = None,
    reason: str = "",
    events: tuple[PodEvent, ...] = (),
    already_present: bool = False,
) -> PodPull:
    return PodPull(
        node=node,
        reference="r.test/a:1",
        started=1.0,
        ended=2.0,
        duration_seconds=1.0,
        image_id=None if failure else "r.test/a@sha256:aa",
        failure=Diagnosis(failure, "words", "") if failure else None,
        waiting_reason=reason,
        already_present=already_present,
        events=events,
    )


def test_image_that_was_pulled_anew_is_found() -> None:
    pulled = PodEvent("Normal", "Pulled", "Successfully pulled")
    pulls = [pod(already_present=True), pod("node-2", events=(pulled,)), pod("node-3")]

    second, third = checks.already_present(pulls)

    assert (second.code, second.subject) == (Code.WRONG_PATH, "node-2")
    assert "Successfully pulled" in second.evidence
    assert third.evidence.endswith("nothing")


def test_pod_that_waits_for_another_reason_is_found() -> None:
    right = pod(failure=AUTHENTICATION, reason="ErrImagePull")
    wrong = pod("node-2", failure=AUTHENTICATION, reason="InvalidImageName")

    first, second = checks.waited_with(
        [right, wrong, pod("node-3")], "ErrImagePull", "ImagePullBackOff"
    )

    assert (first.code, first.subject) == (Code.WRONG_REASON, "node-2")
    assert "waits for InvalidImageName, expected ErrImagePull or ImagePull" in first.evidence
    assert "waits for nothing" in second.evidence


def test_events_that_stand_for_another_failure_are_found() -> None:
    pulls = [pod(failure=AUTHENTICATION, events=(REFUSAL,))]

    assert checks.told_by_events([*pulls, pod("node-3")], AUTHENTICATION) == ()
    (finding,) = checks.told_by_events(pulls, FailureCode.NOT_FOUND)
    assert (finding.code, finding.subject) == (Code.WRONG_REASON, "node-1")
    assert "stand for authentication, expected not-found: authorization failed" in finding.evidence


def test_refusal_without_an_event_is_inconclusive() -> None:
    with pytest.raises(Inconclusive, match="no event tells why"):
        checks.told_by_events([pod(failure=AUTHENTICATION)], AUTHENTICATION)


def test_pod_without_an_event_is_found() -> None:
    (finding,) = checks.has_event([pod(events=(REFUSAL,)), pod("node-2")], "Failed")

    assert (finding.code, finding.subject) == (Code.WRONG_REASON, "node-2")


@pytest.mark.parametrize("judge", [checks.already_present, checks.waited_with])
def test_no_pod_at_all_is_inconclusive(judge: object) -> None:
    assert callable(judge)
    with pytest.raises(Inconclusive):
        judge([])


def test_answer_that_stands_for_another_failure_is_found() -> None:
    answer = diagnose("HTTP status: 404 Not Found")

    assert checks.answered("r.test", answer, FailureCode.NOT_FOUND) == ()
    (wrong,) = checks.answered("r.test", answer, AUTHENTICATION)
    (served,) = checks.answered("r.test", None, AUTHENTICATION)
    assert (wrong.code, wrong.subject) == (Code.WRONG_REASON, "r.test")
    assert "not-found" in wrong.evidence
    assert "no refusal" in served.evidence


def test_secret_that_the_api_takes_is_found() -> None:
    assert checks.secret_refused("a change", 422) == ()
    (taken,) = checks.secret_refused("a change", 0)
    (other,) = checks.secret_refused("a change", 403)
    assert taken.code == Code.CONFIGURATION
    assert "it must refuse a change, but it took it" in taken.evidence
    assert "it answered 403" in other.evidence


def test_finding_says_in_which_case_it_was_found() -> None:
    (finding,) = checks.in_case("key *", checks.secret_refused("it", 0))

    assert finding.evidence.startswith("key *: it must")
