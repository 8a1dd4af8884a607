from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from harness.pool import Pool


def test_all_work_is_done_when_the_block_has_ended() -> None:
    with Pool(2) as pool:
        results = [pool.submit(lambda number: number * 2, number) for number in range(5)]

    assert [result.result() for result in results] == [0, 2, 4, 6, 8]


def test_error_of_one_call_is_raised_where_its_result_is_asked_for() -> None:
    with pytest.raises(ZeroDivisionError), Pool(2) as pool:
        list(pool.map(lambda number: 1 // number, [1, 0, 2]))


def test_error_waits_for_what_has_begun_and_drops_what_has_not() -> None:
    begun, done = threading.Event(), []
    go_on = threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(10)
        done.append("first")

    def fail() -> None:
        with Pool(1) as pool:
            pool.submit(work)
            dropped = pool.submit(done.append, "second")
            # What has begun goes on only when the block is ending and has dropped the other.
            dropped.add_done_callback(lambda _: threading.Timer(0.05, go_on.set).start())
            begun.wait(10)
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert done == ["first"]


def test_thread_that_an_interrupt_hides_does_nothing_after_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when Ctrl-C comes while Thread.start waits: the pool never learns of that thread."""
    hidden: list[threading.Thread] = []
    done: list[str] = []

    def start(thread: threading.Thread) -> None:
        hidden.append(thread)
        raise KeyboardInterrupt

    def interrupted() -> None:
        with Pool(1) as pool:
            pool.submit(done.append, "late")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    hidden[0].start()
    hidden[0].join(10)

    assert not hidden[0].is_alive()
    assert done == []


def test_call_after_the_end_is_cancelled() -> None:
    with Pool(1) as pool:
        pass

    with pytest.raises(CancelledError):
        pool._admitted(int)
