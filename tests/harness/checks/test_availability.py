from __future__ import annotations

import pytest

from harness import checks
from harness.findings import Code, Inconclusive
from harness.history import FaultInterval, Operation, Outcome
from harness.registry.protocols import Session
from tests.harness.checks.parts import request

FAULT = FaultInterval("killed", "ha-1", injected=10.0, healed=13.0, proven_healed=True)
SLOW_SECONDS = 2.0


def operation(due: float, seconds: float = 0.1, outcome: Outcome = Outcome.OK) -> Operation:
    return Operation(
        kind="pull",
        actor="node-1",
        reference="a",
        started=due,
        ended=due + seconds,
        duration_seconds=seconds,
        outcome=outcome,
        digest="sha256:aa",
        transferred_bytes=1,
        cause="" if outcome is Outcome.OK else "connection",
    )


def session(server: str, *, moved: bool = False) -> Session:
    return Session("10.0.0.1", server, redispatched=moved)


EARLY = tuple(operation(due) for due in (10.1, 10.3, 10.5, 10.7, 10.9))
STEADY = tuple(operation(due) for due in (13.5, 14.0, 14.5, 15.0, 15.5))


def steadily(first: float) -> tuple[Operation, ...]:
    return tuple(operation(first + number / 2) for number in range(12))


@pytest.mark.parametrize(
    ("disturbed", "steady_from", "seconds"),
    [
        ((), 10.5, 0.0),
        ((operation(9.0, 0.5, Outcome.FAILED),), 10.5, 0.0),  # it ended before the fault
        ((operation(9.5, 1.0, Outcome.FAILED),), 11.0, 1.0),
        ((operation(11.0, 1.0, Outcome.UNKNOWN), operation(11.5, 0.5)), 12.5, 2.5),
        ((operation(10.5, 2.5),), 10.75, 3.0),  # it ended well, but late
        ((operation(9.9, 2.6),), 10.5, 2.5),  # it was under way already
        ((*EARLY, operation(12.5, 2.5)), 13.5, 0.0),  # late by itself, among those in time
        ((*EARLY, operation(12.5, 0.5, Outcome.FAILED)), 13.5, 3.5),  # no failure is by itself
        ((operation(11.0, 1.0, Outcome.FAILED),), 20.0, 10.0),  # nobody looked before
    ],
)
def test_recovery_lasts_until_operations_end_well_steadily(
    disturbed: tuple[Operation, ...], steady_from: float, seconds: float
) -> None:
    operations = [*disturbed, *steadily(steady_from)]

    assert checks.recovery_seconds(operations, FAULT, slow_seconds=SLOW_SECONDS) == seconds


@pytest.mark.parametrize(
    "operations",
    [
        STEADY[:4],
        (*STEADY, operation(15.6, outcome=Outcome.FAILED)),
        (*STEADY[:4], operation(15.0, 2.5), *STEADY[4:]),
        EARLY,
    ],
)
def test_recovery_that_nothing_shows_is_inconclusive(operations: tuple[Operation, ...]) -> None:
    assert not checks.is_steady(operations, FAULT, slow_seconds=SLOW_SECONDS)
    with pytest.raises(Inconclusive, match="ha-1 was killed"):
        checks.recovery_seconds(operations, FAULT, slow_seconds=SLOW_SECONDS)


def test_one_of_several_nodes_is_steady_by_its_share_of_operations() -> None:
    operations = STEADY[:2]

    assert checks.is_steady(operations, FAULT, slow_seconds=SLOW_SECONDS, steady=2)
    seconds = checks.recovery_seconds(operations, FAULT, slow_seconds=SLOW_SECONDS, steady=2)
    assert seconds == 0


def test_registry_that_does_not_come_back_is_found() -> None:
    failures = [operation(due, outcome=Outcome.FAILED) for due in (13.5, 14.0)]
    well = [operation(due) for due in (14.5, 15.0, 15.5)]

    [found] = checks.comes_back([*failures, *well], FAULT, "ha.test")

    assert (found.code, found.subject) == (Code.SERVICE_LOST, "ha.test")
    assert found.evidence.startswith("2 of the last 5 operations failed, all begun after ha-1")
    later = [*failures, *well, *(operation(due) for due in (16.0, 16.5))]
    assert checks.comes_back(later, FAULT, "ha.test") == ()
    assert checks.comes_back([*failures, *well[:2]], FAULT, "ha.test") == ()
    assert checks.comes_back([*failures, *well[:2]], FAULT, "ha.test", steady=3) != ()


def test_outage_is_the_longest_time_without_success() -> None:
    late = operation(10.5, 3.0)
    operations = [operation(9.0, 2.0), operation(10.2), late, *STEADY]

    assert checks.outage_seconds(operations, FAULT) == pytest.approx(late.ended - 10.3)


def test_outage_without_an_end_is_inconclusive() -> None:
    operations = [operation(9.0), operation(11.0, outcome=Outcome.FAILED)]

    with pytest.raises(Inconclusive, match="ha-1 was killed"):
        checks.outage_seconds(operations, FAULT)


def test_figures_tell_what_runtimes_hid_from_what_nobody_noticed() -> None:
    operations = [operation(10.0, 2.5), operation(12.4), *STEADY]
    sessions = [session("ha-1"), session("ha-2", moved=True), session("ha-2")]
    requests = [request("10.0.0.9"), request("10.0.0.9", 206), request("10.0.0.9", 404)]

    figures = (
        *checks.pull_figures(operations, FAULT, slow_seconds=SLOW_SECONDS),
        *checks.made_up(sessions, requests),
    )

    assert {figure.name: figure.value for figure in figures} == {
        "longest_gap_seconds": pytest.approx(2.5),
        "slowest_pull_seconds": 2.5,
        "late_pulls": 1,
        "resumed_reads": 1,
        "moved_connections": 1,
    }


def test_pull_that_was_not_broken_off_proves_nothing() -> None:
    checks.require_resumed_reads([request("10.0.0.9"), request("10.0.0.9", 206)])

    with pytest.raises(Inconclusive, match="no transfer was broken off"):
        checks.require_resumed_reads([request("10.0.0.9")])


def test_servers_out_of_service_are_found() -> None:
    [found] = checks.all_in_service(["ha-1", "ha-2"], ["ha-1"])

    assert (found.code, found.subject) == (Code.SERVICE_LOST, "ha-2")
    assert "it sends to ha-1" in found.evidence
    assert "to none" in checks.all_in_service(["ha-1"], [])[0].evidence
    assert checks.all_in_service(["ha-1"], ["ha-1"]) == ()


def test_node_that_is_not_ready_is_found() -> None:
    [found] = checks.all_are_ready(["worker"])

    assert (found.code, found.subject) == (Code.SERVICE_LOST, "worker")
    assert checks.all_are_ready([]) == ()


def test_servers_that_take_no_part_are_found() -> None:
    sessions = [session("ha-1"), session("ha-1")]

    [found] = checks.all_were_used(["ha-1", "ha-2"], sessions)

    assert (found.code, found.subject) == (Code.SERVICE_LOST, "ha-2")
    assert checks.all_were_used(["ha-1"], sessions) == ()


def test_load_balancer_without_any_connection_is_no_evidence() -> None:
    with pytest.raises(Inconclusive):
        checks.all_were_used(["ha-1"], [])
