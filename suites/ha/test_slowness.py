"""Parts that are slow, lossy or spoil what they carry: no image is wrong, and none is lost."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness import checks
from harness.cluster.protocols import InContainer, RuntimeAccess
from harness.diagnosis import FailureCode
from harness.faults.link import SlowLink
from harness.faults.network import CorruptLink, LossyLink
from harness.faults.storage import SlowStorage
from harness.history import Outcome
from harness.lab import ability
from harness.registry.protocols import ExposesStorage
from harness.scenario.model import MIB

if TYPE_CHECKING:
    from fixtures.drill import Drill

# Nothing has to be noticed first, so that less of the scenario's time shows as much.
HOLD_RATIO = 1 / 3
LOST_EVERY = 20
SPOILT_EVERY = 20
LINK_BYTES_PER_SECOND = MIB
STORAGE_BYTES_PER_SECOND = MIB


@pytest.mark.exclusive
def test_bad_links_and_slow_storage_lose_nothing(drill: Drill) -> None:
    """With a lossy link, a slow one and a slow disk, all ends well; wrong bytes are never taken."""
    lossy, corrupt, slow = islice(cycle(drill.lab.nodes), 3)
    storage_folder = ability(drill.registry, ExposesStorage).storage_folder
    spoilt = Users((corrupt.name,), (FailureCode.CONNECTION, FailureCode.TIMEOUT), always=False)
    images = drill.serve_during(
        LossyLink(ability(lossy, InContainer).container, LOST_EVERY),
        CorruptLink(ability(corrupt, InContainer).container, SPOILT_EVERY),
        SlowLink(ability(slow, InContainer).container, LINK_BYTES_PER_SECOND),
        SlowStorage(drill.replicas[0].container, storage_folder, STORAGE_BYTES_PER_SECOND),
        failing=[spoilt],
        lasting=True,
        hold_ratio=HOLD_RATIO,
    )
    taken = {
        each.reference
        for each in drill.recorder.history.operations
        if each.actor == corrupt.name and each.outcome is Outcome.OK
    }
    digests = [digest for image in images if image.reference in taken for digest in image.digests]
    held = ability(corrupt, RuntimeAccess).content_digests(digests)
    drill.judge(checks.same_content(corrupt.name, digests, held))
