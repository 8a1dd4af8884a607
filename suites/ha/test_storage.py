"""A storage that takes nothing more, or is slow: pulls go on, and pushes fail by their reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness.diagnosis import FailureCode
from harness.faults.storage import FullStorage, ReadOnlyStorage, SlowStorage
from harness.lab import ability
from harness.registry.protocols import ExposesStorage
from harness.scenario.model import MIB
from harness.workload import CLIENT

if TYPE_CHECKING:
    from fixtures.drill import Drill

REFUSED = Users((CLIENT,), (FailureCode.STORAGE,))
# Nothing has to be noticed first, so that less of the scenario's time shows as much.
HOLD_RATIO = 1 / 3
SLOW_BYTES_PER_SECOND = MIB


@pytest.mark.exclusive
def test_full_storage_refuses_pushes_and_serves_pulls(drill: Drill) -> None:
    """No replica acknowledges a push for which there is no space; nodes pull all the same."""
    folder = ability(drill.registry, ExposesStorage).storage_folder
    faults = [FullStorage(each.container, folder) for each in drill.replicas]
    drill.serve_during(*faults, failing=[REFUSED], lasting=True, hold_ratio=HOLD_RATIO)


@pytest.mark.exclusive
def test_read_only_storage_refuses_pushes_and_serves_pulls(drill: Drill) -> None:
    """No replica acknowledges a push that it cannot write; nodes pull all the same."""
    folder = ability(drill.registry, ExposesStorage).storage_folder
    faults = [ReadOnlyStorage(each.container, folder) for each in drill.replicas]
    drill.serve_during(*faults, failing=[REFUSED], lasting=True, hold_ratio=HOLD_RATIO)


@pytest.mark.exclusive
def test_slow_storage_loses_nothing(drill: Drill) -> None:
    """Pulls and pushes take longer while one replica's storage is slow, and none fails."""
    folder = ability(drill.registry, ExposesStorage).storage_folder
    fault = SlowStorage(drill.replicas[0].container, folder, SLOW_BYTES_PER_SECOND)
    drill.serve_during(fault, lasting=True, hold_ratio=HOLD_RATIO)
