from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.upgrade import changed

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def doubled(system: list[int]) -> Iterator[list[int]]:
    system.append(0)
    try:
        yield system * 2
    finally:
        system.remove(0)


def test_system_is_seen_before_and_after_and_is_as_it_was_at_the_end() -> None:
    system = [1]

    with changed(system, doubled, sum) as upgrade:
        assert (upgrade.before, upgrade.after) == (1, 2)
        assert upgrade.system == [1, 0, 1, 0]
    assert system == [1]


def test_change_is_taken_back_when_nothing_can_be_seen_of_it() -> None:
    def look(system: list[int]) -> int:
        if len(system) > 1:
            raise ValueError("unreadable")
        return 1

    system = [1]

    with pytest.raises(ValueError, match="unreadable"), changed(system, doubled, look):
        pass
    assert system == [1]
