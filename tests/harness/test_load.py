from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from harness.findings import Inconclusive
from harness.history import History
from harness.load import Load, Pace, taking_turns, under_load
from harness.wait import wait_until
from tests.harness.test_history import operation

# More than any test waits for, so that none comes to its end while a busy machine stands still.
PACE = Pace(per_second=200, most=2000, warm_up=2)


def test_operations_begin_at_their_pace_and_the_warm_up_is_not_recorded() -> None:
    history, began = History(), time.time()

    with under_load(lambda number: operation(str(number)), PACE, into=history) as load:
        load.go_on(0.1)

    due = sorted(each.started for each in history.operations)
    assert len(due) >= 18
    assert {"0", "1"}.isdisjoint({each.reference for each in history.operations})
    assert due[0] >= began + 2 / PACE.per_second
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert gaps == pytest.approx([1 / PACE.per_second] * len(gaps), abs=1e-4)


@pytest.mark.parametrize(
    ("share", "kinds"), [(0.5, "ABABABABAB"), (0.2, "AAAABAAAAB"), (0.7, "ABBABBABBB")]
)
def test_kinds_of_operations_take_turns_by_their_share(share: float, kinds: str) -> None:
    mixed = taking_turns(
        lambda number: operation(f"A{number}"), lambda number: operation(f"B{number}"), share=share
    )

    done = [mixed(number).reference for number in range(10)]

    assert "".join(each[0] for each in done) == kinds
    for kind in "AB":
        assert [each for each in done if each[0] == kind] == [
            f"{kind}{number}" for number in range(kinds.count(kind))
        ]


def test_time_counts_from_the_moment_when_an_operation_was_due() -> None:
    """One operation that stalls holds up no other, and its own time tells of the stall."""
    history, stalled = History(), threading.Event()

    def stall(number: int) -> object:
        if number == 2:
            assert stalled.wait(10)
        return operation(str(number))

    with under_load(stall, PACE, into=history) as load:  # type: ignore[arg-type]
        load.go_on(0.1)
        now = time.time()
        assert not load.has_ended_until(now)
        stalled.set()
        wait_until(
            lambda: load.has_ended_until(now), timeout_seconds=5, what="the stalled one to end"
        )

    took = {each.reference: each.duration_seconds for each in history.operations}
    assert took["2"] > 0.09
    assert min(took.values()) < took["2"]


def test_what_is_due_and_has_not_begun_has_not_ended() -> None:
    load = Load(lambda number: operation(str(number)), PACE, History())

    assert not load.has_ended_until(time.time() + 1 / PACE.per_second)


def test_no_operation_begins_after_the_block() -> None:
    history = History()

    with under_load(lambda number: operation(str(number)), PACE, into=history):
        pass

    ended = len(history.operations)
    assert ended < PACE.most - PACE.warm_up
    time_over = threading.Event()
    assert not time_over.wait(0.05)
    assert len(history.operations) == ended


def test_load_that_is_over_too_soon_is_inconclusive() -> None:
    pace = Pace(per_second=200, most=60, warm_up=2)
    with (
        pytest.raises(Inconclusive, match="60 operations"),
        under_load(lambda number: operation(str(number)), pace, into=History()) as load,
    ):
        load.go_on(1)


def test_broken_operation_is_raised_after_the_block() -> None:
    def broken(number: int) -> object:
        raise ZeroDivisionError(number)

    with (
        pytest.raises(ZeroDivisionError),
        under_load(broken, PACE, into=History()),  # type: ignore[arg-type]
    ):
        pass


def test_measuring_side_that_is_busy_itself_is_inconclusive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def busy(number: int) -> object:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        return operation(str(number))

    monkeypatch.setattr("harness.machine.cpus", lambda: 0.01)
    with (
        pytest.raises(Inconclusive, match="measuring side"),
        under_load(busy, Pace(1000, most=3, warm_up=3), into=History()),  # type: ignore[arg-type]
    ):
        pass
