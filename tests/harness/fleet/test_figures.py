from __future__ import annotations

import random

import pytest

from harness.diagnosis import FailureCode, diagnose
from harness.findings import Code, Inconclusive
from harness.fleet.figures import FleetFigures
from harness.fleet.model import Answer, Gap, Missing
from harness.measure import Samples
from harness.result.model import CheckRecord, NodeFigures, Status

DENIED = diagnose("unexpected status: 401 Unauthorized")
REFUSED = Missing(Gap.PULL_REFUSED, DENIED.evidence, DENIED)


def _figures(*answers: Answer) -> FleetFigures:
    figures = FleetFigures()
    figures.add(answers)
    return figures


def test_records_hold_a_nodes_median_and_longest_pull() -> None:
    figures = FleetFigures()
    for seconds in (3.0, 1.0, 2.0, 4.0):
        figures.add([Answer("one", seconds)])

    (record,) = figures.records()

    assert (record.node, record.samples) == ("one", 4)
    assert (record.p50_seconds, record.max_seconds) == (2.0, 4.0)
    assert Samples.decode(record.histogram).count == 4


def test_node_that_never_told_its_time_has_no_figure() -> None:
    assert _figures(Answer("one")).records() == (NodeFigures(node="one", samples=0, untold=1),)


def test_what_a_node_missed_first_is_kept() -> None:
    figures = _figures(Answer("one", missing=Missing(Gap.NO_ANSWER, "silence")))
    figures.add([Answer("one", missing=REFUSED)])
    figures.add([Answer("one", 1.0)])

    (record,) = figures.records()

    assert (record.gap, record.evidence, record.samples) == ("no-answer", "silence", 1)


def test_record_of_a_node_takes_at_most_a_kibibyte_of_the_document() -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    figures = FleetFigures()
    for _ in range(199):
        figures.add([Answer("node-1.a-long-region.compute.internal", chance.uniform(0.2, 60))])
    missing = Missing(Gap.NO_ANSWER, "x" * 1000)
    figures.add([Answer("node-1.a-long-region.compute.internal", missing=missing)])

    assert _document_bytes(figures.records()) - _document_bytes(()) <= 1024


def test_measurements_are_of_all_nodes_together() -> None:
    figures = _figures(*(Answer(f"node-{number}", number / 10) for number in range(1, 21)))

    p50, p95, longest = figures.measurements("1MiB")

    assert (p50.name, p50.samples, p50.size_class) == ("fleet_cold_pull_p50_seconds", 20, "1MiB")
    assert p95.name == "fleet_cold_pull_p95_seconds"
    assert p95.value == pytest.approx(1.9, rel=1e-3)
    assert p95.interval is not None
    assert longest.value == pytest.approx(2.0, rel=1e-3)


def test_pulls_without_a_figure_are_counted() -> None:
    figures = _figures(Answer("one", 1.0), Answer("two"), Answer("three"))

    without = figures.measurements("1MiB")[-1]

    assert (without.name, without.value) == ("fleet_cold_pull_without_figure", 2)


def test_thousand_pulls_give_the_ninety_ninth_percentile() -> None:
    figures = _figures(*(Answer(f"node-{number}", 1.0) for number in range(1000)))
    assert "fleet_cold_pull_p99_seconds" in {one.name for one in figures.measurements("1MiB")}


def test_nothing_is_measured_where_no_kubelet_told_its_time() -> None:
    figures = _figures(Answer("one"))

    assert figures.measurements("1MiB") == ()
    with pytest.raises(Inconclusive, match="no kubelet told"):
        figures.require_all()


def test_refusals_are_one_finding_per_reason_that_names_the_nodes() -> None:
    lost = diagnose("dial tcp: lookup r.test: no such host")
    figures = _figures(
        Answer("one", missing=REFUSED),
        Answer("two", 1.0),
        Answer("three", missing=REFUSED),
        Answer("four", missing=Missing(Gap.PULL_REFUSED, lost.evidence, lost)),
        Answer("five", missing=Missing(Gap.NO_POD)),
    )

    denied, unknown = figures.refusals()

    assert (denied.code, denied.subject) == (Code.PULL_FAILED, "one, three")
    assert denied.evidence.startswith(f"{FailureCode.AUTHENTICATION}: ")
    assert denied.remedy == DENIED.remedy
    assert unknown.subject == "four"


def test_of_very_many_nodes_the_first_are_named() -> None:
    figures = _figures(*(Answer(f"node-{n:02}", missing=REFUSED) for n in range(25)))

    (finding,) = figures.refusals()

    assert "node-19 and 5 more" in finding.subject
    assert "node-20" not in finding.subject


def test_nodes_that_gave_no_answer_never_pass() -> None:
    figures = _figures(
        Answer("one", 1.0),
        Answer("two", missing=Missing(Gap.NOT_READY)),
        Answer("three", missing=Missing(Gap.NOT_READY, "KubeletNotReady")),
        Answer("four", missing=Missing(Gap.NO_POD)),
    )

    with pytest.raises(Inconclusive) as caught:
        figures.require_all()

    assert str(caught.value) == (
        "3 of 4 nodes were not covered: no-pod: four; not-ready: three, two (KubeletNotReady)"
    )


@pytest.mark.parametrize(
    "missing", [Missing(Gap.CORDONED), Missing(Gap.GONE), REFUSED], ids=lambda one: one.gap
)
def test_what_is_excused_or_a_finding_is_no_gap(missing: Missing) -> None:
    _figures(Answer("one", 1.0), Answer("two", missing=missing)).require_all()


def _document_bytes(nodes: tuple[NodeFigures, ...]) -> int:
    record = CheckRecord(
        id="latency.fleet",
        capability="latency",
        title="A fleet",
        status=Status.PASSED,
        nodes=nodes,
        started=0.0,
        duration_seconds=0.0,
    )
    return len(record.model_dump_json(indent=4))
