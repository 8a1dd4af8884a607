from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harness.monitoring.alerting import FIRING, INACTIVE, state_of, wait_for
from harness.monitoring.protocols import Alert

if TYPE_CHECKING:
    from harness.monitoring.protocols import Monitors

DOWN = "RegistryDown"
PENDING = (Alert(DOWN, "primary", "pending"),)
FIRED = (Alert(DOWN, "other", "pending"), Alert(DOWN, "primary", "firing"))


class Scripted:
    """A monitor that tells of other alerts each time, and of the last ones for ever."""

    registry = "primary"

    def __init__(self, *answers: tuple[Alert, ...]) -> None:
        self._answers = list(answers)

    def alerts(self) -> tuple[Alert, ...]:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def monitor(*answers: tuple[Alert, ...]) -> Monitors:
    return cast("Monitors", Scripted(*answers))


def test_alert_of_the_scraped_registry_counts_alone() -> None:
    assert state_of(monitor(FIRED), DOWN) == FIRING
    assert state_of(monitor(FIRED[:1]), DOWN) == INACTIVE
    assert state_of(monitor(FIRED), "AnotherAlert") == INACTIVE


def test_alert_is_waited_for() -> None:
    assert wait_for(monitor((), PENDING, FIRED), DOWN, FIRING, timeout_seconds=5) == FIRING


def test_alert_that_does_not_come_is_told_in_the_state_that_it_has() -> None:
    assert wait_for(monitor(PENDING), DOWN, FIRING, timeout_seconds=0) == "pending"
