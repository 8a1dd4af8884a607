"""A storage that takes nothing more: pushes are refused, by their reason, and pulls go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness.diagnosis import FailureCode
from harness.faults.storage import FullStorage, ReadOnlyStorage
from harness.lab import ability
from harness.registry.protocols import ExposesStorage
from harness.workload import CLIENT

if TYPE_CHECKING:
    from fixtures.drill import Drill

# Nothing has to be noticed first, so that less of the scenario's time shows as much.
HOLD_RATIO = 1 / 3


@pytest.mark.exclusive
def test_full_and_read_only_storage_refuse_pushes_and_serve_pulls(drill: Drill) -> None:
    """No replica acknowledges what it has no space for or cannot write; nodes pull all the same."""
    folder = ability(drill.registry, ExposesStorage).storage_folder
    full, *read_only = drill.replicas
    drill.serve_during(
        FullStorage(full.container, folder),
        *(ReadOnlyStorage(each.container, folder) for each in read_only),
        failing=[Users((CLIENT,), (FailureCode.STORAGE,))],
        lasting=True,
        hold_ratio=HOLD_RATIO,
    )
