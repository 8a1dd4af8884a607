from __future__ import annotations

import threading

import pytest

from harness.errors import HarnessError
from harness.history import FaultInterval, History, Operation, Outcome


def operation(reference: str, outcome: Outcome = Outcome.OK) -> Operation:
    return Operation(
        kind="pull",
        actor="node-1",
        reference=reference,
        started=10.0,
        ended=11.5,
        duration_seconds=1.5,
        outcome=outcome,
        digest="sha256:00",
        transferred_bytes=5,
        cause="" if outcome is Outcome.OK else "timeout",
        evidence='words\nof "the" runtime\u2028\u00e4',
    )


def test_history_is_read_back_as_it_was() -> None:
    history = History([operation("a", Outcome.UNKNOWN), operation("b")])

    text = history.to_jsonl()

    assert text.count("\n") == 2
    assert History.from_jsonl(text).operations == history.operations


def test_faults_stand_between_the_operations_that_ended_before_and_after() -> None:
    fault = FaultInterval("killed", "primary", 10.25, 30.5, proven_healed=True)
    history = History([operation("a"), fault])
    history.append(operation("b"))

    read = History.from_jsonl(history.to_jsonl())

    assert read.entries == (operation("a"), fault, operation("b"))
    assert read.operations == (operation("a"), operation("b"))
    assert read.faults == (fault,)
    assert fault.seconds == 20.25


def test_empty_history_is_an_empty_file() -> None:
    assert History().to_jsonl() == ""
    assert History.from_jsonl("").operations == ()


def test_spoilt_line_is_named() -> None:
    text = History([operation("a")]).to_jsonl() + "{}\n"

    with pytest.raises(HarnessError, match="line 2 of the history"):
        History.from_jsonl(text)


def test_line_that_was_cut_off_by_a_kill_is_left_out() -> None:
    text = History([operation("a")]).to_jsonl() + '{"kind": "pu'

    assert History.from_jsonl(text).operations == (operation("a"),)


def test_threads_append_without_loss() -> None:
    history = History()

    def work(name: str) -> None:
        for number in range(50):
            history.append(operation(f"{name}-{number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(history.operations) == 200
