from __future__ import annotations

import pytest

from harness.acceptance import Diary
from harness.result.model import EngineFacts


def test_diary_knows_the_machine_from_the_start() -> None:
    environment = Diary(print).environment

    assert environment.kernel
    assert environment.cpus >= 1
    assert environment.memory_bytes > 0
    assert environment.harness_version
    assert environment.engine is None


def test_diary_adds_what_is_learnt() -> None:
    diary = Diary(print)
    kernel = diary.environment.kernel

    diary.learn(engine=EngineFacts(kind="private", version="26.1"))

    assert diary.environment.engine == EngineFacts(kind="private", version="26.1")
    assert diary.environment.kernel == kernel


def test_phase_is_timed_and_announced() -> None:
    told: list[str] = []
    diary = Diary(told.append)

    with diary.phase("lab"):
        pass

    assert diary.phases.lab is not None
    assert diary.phases.checks is None
    assert told == [f"lab: {diary.phases.lab:.1f} s"]


def test_phase_that_ends_in_an_error_is_timed_too() -> None:
    diary = Diary(lambda _: None)

    with pytest.raises(ZeroDivisionError), diary.phase("images"):
        raise ZeroDivisionError

    assert diary.phases.images is not None
