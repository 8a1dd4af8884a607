from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.diagnosis import diagnose
from harness.fleet.coverage import Coverage
from harness.fleet.model import Answer, Fell, FleetNode, Gap, Hindered, Missing, Pulled

if TYPE_CHECKING:
    from harness.fleet.model import Sign

REFUSED = Missing(Gap.PULL_REFUSED, "401", diagnose("401 Unauthorized"))
NOT_READY = Missing(Gap.NOT_READY, "KubeletNotReady")
ONE = (FleetNode("one"),)
WITHOUT_SECRET = Hindered("one", "FailedToRetrieveImagePullSecret: slow", lacked_secret=True)


def test_sample_is_told_when_every_node_has_told_its_time() -> None:
    nodes = (FleetNode("one"), FleetNode("two"))
    coverage = Coverage(nodes)
    coverage.note(Pulled("two", 2.5))
    assert not coverage.told()
    coverage.note(Pulled("one", 1.5))

    assert coverage.told()
    assert coverage.conclude(nodes) == (Answer("one", 1.5), Answer("two", 2.5))


def test_first_time_that_is_told_counts() -> None:
    coverage = Coverage(ONE)
    coverage.note(Pulled("one", 1.5))
    coverage.note(Pulled("one", 0.1))

    assert coverage.conclude(ONE) == (Answer("one", 1.5),)


def test_pod_that_runs_covers_its_node_without_a_figure() -> None:
    coverage = Coverage(ONE)
    coverage.look({"one": None})

    assert coverage.answered()
    assert not coverage.told()
    assert coverage.conclude(ONE) == (Answer("one"),)
    assert coverage.conclude(ONE)[0].covered


def test_image_that_was_there_already_gives_no_figure() -> None:
    coverage = Coverage(ONE)
    coverage.note(Pulled("one", None))

    assert coverage.told()
    assert coverage.conclude(ONE) == (Answer("one"),)


@pytest.mark.parametrize("later", [Pulled("one", 1.0), Fell("one", Missing(Gap.NOT_STARTED))])
def test_refusal_stays_whatever_comes_later(later: Sign) -> None:
    coverage = Coverage(ONE)
    coverage.note(Fell("one", REFUSED))
    coverage.note(later)

    assert coverage.told()
    assert coverage.conclude(ONE) == (Answer("one", missing=REFUSED),)


def test_refusal_for_want_of_the_pull_secret_is_forgiven_once_the_node_has_pulled() -> None:
    coverage = Coverage(ONE)
    coverage.note(WITHOUT_SECRET)
    coverage.note(Fell("one", REFUSED))
    assert not coverage.answered()
    coverage.note(Pulled("one", 1.0))

    assert coverage.told()
    assert coverage.conclude(ONE) == (Answer("one", 1.0),)


def test_refusal_for_want_of_the_pull_secret_is_a_refusal_if_it_stays() -> None:
    coverage = Coverage(ONE)
    coverage.note(WITHOUT_SECRET)
    coverage.look({"one": REFUSED})

    assert not coverage.answered()
    assert coverage.conclude(ONE) == (Answer("one", missing=REFUSED),)


def test_refusal_whose_event_was_lost_is_seen_at_the_pod() -> None:
    coverage = Coverage(ONE)
    coverage.look({"one": REFUSED})

    assert coverage.told()
    assert coverage.conclude(ONE) == (Answer("one", missing=REFUSED),)


def test_pod_that_was_not_admitted_first_may_run_later() -> None:
    coverage = Coverage(ONE)
    coverage.look({"one": Missing(Gap.NOT_ADMITTED, "OutOfpods")})
    assert coverage.told()
    coverage.note(Pulled("one", 1.0))

    assert coverage.conclude(ONE) == (Answer("one", 1.0),)


def test_nodes_without_hope_are_not_awaited_but_count_when_they_answer() -> None:
    nodes = (FleetNode("one", Missing(Gap.CORDONED)), FleetNode("two", NOT_READY))
    coverage = Coverage(nodes)
    assert coverage.told()
    coverage.note(Pulled("one", 1.0))

    assert coverage.conclude(nodes) == (Answer("one", 1.0), Answer("two", missing=NOT_READY))


def test_silent_node_is_named_with_what_its_pod_shows() -> None:
    coverage = Coverage(ONE)
    coverage.note(Hindered("one", "FailedMount: no such secret"))
    coverage.look({"one": Missing(Gap.NO_ANSWER)})

    assert not coverage.answered()
    missing = Missing(Gap.NO_ANSWER, "FailedMount: no such secret")
    assert coverage.conclude(ONE) == (Answer("one", missing=missing),)


def test_what_the_pod_itself_says_tells_more_than_events() -> None:
    coverage = Coverage(ONE)
    coverage.note(Hindered("one", "FailedMount: no such secret"))
    coverage.look({"one": Missing(Gap.NOT_SCHEDULED, "Unschedulable")})

    missing = Missing(Gap.NOT_SCHEDULED, "Unschedulable")
    assert coverage.conclude(ONE) == (Answer("one", missing=missing),)


def test_node_without_a_pod_is_named_with_what_kept_pods_from_being_created() -> None:
    coverage = Coverage(ONE)
    coverage.note(Hindered("", "FailedCreate: forbidden"))
    coverage.look({})

    missing = Missing(Gap.NO_POD, "FailedCreate: forbidden")
    assert coverage.conclude(ONE) == (Answer("one", missing=missing),)


def test_node_that_ceased_to_be_ready_is_named_so() -> None:
    coverage = Coverage(ONE)

    answers = coverage.conclude((FleetNode("one", NOT_READY),))

    assert answers == (Answer("one", missing=NOT_READY),)


def test_node_that_was_removed_meanwhile_is_named_so() -> None:
    missing = Missing(Gap.GONE, "it was removed meanwhile")
    assert Coverage(ONE).conclude(()) == (Answer("one", missing=missing),)


def test_nodes_that_came_later_are_left_out() -> None:
    coverage = Coverage(ONE)
    coverage.note(Pulled("late", 1.0))
    coverage.note(Pulled("one", 2.0))

    assert coverage.conclude((*ONE, FleetNode("late"))) == (Answer("one", 2.0),)
