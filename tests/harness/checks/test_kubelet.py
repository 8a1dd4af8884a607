from __future__ import annotations

import pytest

from harness import checks
from harness.cluster.kubelet_model import PullCounts, PullSettings
from harness.cluster.protocols import PodPull
from harness.findings import Code, Inconclusive
from harness.scenario.model import KubeletSpec

IN_TURN, AT_ONCE, BY_TWO = PullSettings(1), PullSettings(None), PullSettings(2)
BEFORE = PullCounts((("0-10MB", 2),), seconds=1.0, required=3)


def pod_pull(
    pulling: float | None,
    queueing: float | None = 0.0,
    *,
    node: str = "node-1",
    started: float = 0.0,
    ended: float = 3.0,
) -> PodPull:
    return PodPull(
        node=node,
        reference="registry.test/a:v1",
        started=started,
        ended=ended,
        duration_seconds=ended - started,
        image_id="registry.test/a@sha256:aa",
        failure=None,
        pulling_seconds=pulling,
        queueing_seconds=queueing,
    )


def test_kubelet_that_counts_what_it_told_leaves_nothing_to_find() -> None:
    after = PullCounts((("0-10MB", 2), ("10MB-100MB", 2)), seconds=2.0, required=5)
    pulls = [pod_pull(0.5), pod_pull(0.5), pod_pull(0.5, node="node-2"), pod_pull(None)]

    assert checks.counted("node-1", BEFORE, after, pulls) == ()


def test_kubelet_that_counts_fewer_pulls_than_it_told_is_found() -> None:
    after = PullCounts((("0-10MB", 3),), seconds=2.0, required=5)

    (finding,) = checks.counted("node-1", BEFORE, after, [pod_pull(0.5), pod_pull(0.5)])

    assert (finding.code, finding.subject) == (Code.METRICS, "node-1")
    assert "kubelet_image_pull_duration_seconds_count rose by 1" in finding.evidence
    assert "0-10MB: 3" in finding.evidence


def test_kubelet_that_counts_nothing_at_all_is_found_twice() -> None:
    found = checks.counted("node-1", PullCounts(), PullCounts(), [pod_pull(0.5)])

    assert len(found) == 2
    assert found[0].evidence.endswith("all by size: none")


@pytest.mark.parametrize("after", [PullCounts((), required=9), PullCounts((("0-10MB", 9),))])
def test_kubelet_that_has_started_anew_proves_nothing(after: PullCounts) -> None:
    with pytest.raises(Inconclusive, match="started anew"):
        checks.counted("node-1", BEFORE, after, [pod_pull(0.5)])


def test_events_that_tell_of_no_pull_prove_nothing() -> None:
    with pytest.raises(Inconclusive, match="no event of node-1"):
        checks.counted("node-1", BEFORE, BEFORE, [pod_pull(None), pod_pull(1, node="node-2")])


WAITED = (pod_pull(1.0), pod_pull(1.0, 0.9))
TOGETHER = (pod_pull(2.0), pod_pull(2.0))


@pytest.mark.parametrize(
    ("settings", "pulls"), [(IN_TURN, WAITED), (AT_ONCE, TOGETHER), (BY_TWO, TOGETHER)]
)
def test_kubelet_that_pulls_as_configured_leaves_nothing_to_find(
    settings: PullSettings, pulls: tuple[PodPull, ...]
) -> None:
    others = [pod_pull(None, None, node="node-2")]

    assert checks.pulled_as_configured("node-1", settings, [*pulls, *others]) == ()


@pytest.mark.parametrize(
    ("settings", "pulls", "words"),
    [
        (IN_TURN, TOGETHER, "one image at a time"),
        (AT_ONCE, WAITED, "any number of images at once"),
        (BY_TWO, WAITED, "up to 2 images at once"),
    ],
)
def test_kubelet_that_pulls_in_another_way_is_found(
    settings: PullSettings, pulls: tuple[PodPull, ...], words: str
) -> None:
    (finding,) = checks.pulled_as_configured("node-1", settings, pulls)

    assert (finding.code, finding.subject) == (Code.CONFIGURATION, "node-1")
    assert words in finding.evidence


@pytest.mark.parametrize("settings", [IN_TURN, AT_ONCE])
def test_pulls_that_did_not_meet_prove_nothing(settings: PullSettings) -> None:
    with pytest.raises(Inconclusive, match="did not meet"):
        checks.pulled_as_configured("node-1", settings, [pod_pull(1.0), pod_pull(1.0)])


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [pod_pull(1.0)],
        [pod_pull(1.0), pod_pull(None)],
        [pod_pull(1.0), pod_pull(1.0, None)],
        [pod_pull(1.0), pod_pull(1.0, node="node-2")],
    ],
)
def test_pulls_of_which_not_all_is_told_prove_nothing(pulls: list[PodPull]) -> None:
    with pytest.raises(Inconclusive, match="do not tell"):
        checks.pulled_as_configured("node-1", IN_TURN, pulls)


@pytest.mark.parametrize(
    ("settings", "serialised"), [(IN_TURN, True), (AT_ONCE, False), (BY_TWO, False)]
)
def test_kubelet_that_is_set_up_as_asked_leaves_nothing_to_find(
    settings: PullSettings, *, serialised: bool
) -> None:
    asked = KubeletSpec(serialize_image_pulls=serialised)

    assert checks.set_up_as_asked("node-1", settings, asked) == ()


@pytest.mark.parametrize(
    ("settings", "serialised", "words"),
    [
        (IN_TURN, False, "pulls 1 images at once; the scenario asks for serializeImagePulls false"),
        (AT_ONCE, True, "any number of images at once; the scenario asks for serializeImagePulls"),
        (BY_TWO, True, "pulls 2 images at once"),
    ],
)
def test_kubelet_that_is_not_set_up_as_asked_is_found(
    settings: PullSettings, *, serialised: bool, words: str
) -> None:
    asked = KubeletSpec(serialize_image_pulls=serialised)

    (finding,) = checks.set_up_as_asked("node-1", settings, asked)

    assert (finding.code, finding.subject) == (Code.CONFIGURATION, "node-1")
    assert words in finding.evidence
