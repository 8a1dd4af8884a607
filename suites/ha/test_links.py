"""Links of nodes that lose, spoil or hold up what the registry sends: no image is wrong or lost."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest

from fixtures.drilled import Users
from harness.cluster.protocols import InContainer
from harness.diagnosis import FailureCode
from harness.faults.link import SlowLink
from harness.faults.network import CorruptLink, LossyLink
from harness.lab import ability
from harness.scenario.model import MIB

if TYPE_CHECKING:
    from fixtures.drill import Drill

HOLD_RATIO = 1 / 3
LOST_EVERY = 20
SPOILT_EVERY = 20
LINK_BYTES_PER_SECOND = MIB


@pytest.mark.exclusive
def test_pulls_over_bad_links_lose_nothing(drill: Drill) -> None:
    """Over a lossy and a slow link all pulls end well; wrong bytes are noticed, and never taken."""
    lossy, corrupt, slow = islice(cycle(drill.lab.nodes), 3)
    spoilt = Users((corrupt.name,), (FailureCode.CONNECTION, FailureCode.TIMEOUT), always=False)
    drill.serve_during(
        LossyLink(ability(lossy, InContainer).container, LOST_EVERY),
        CorruptLink(ability(corrupt, InContainer).container, SPOILT_EVERY),
        SlowLink(ability(slow, InContainer).container, LINK_BYTES_PER_SECOND),
        failing=[spoilt],
        lasting=True,
        hold_ratio=HOLD_RATIO,
    )
