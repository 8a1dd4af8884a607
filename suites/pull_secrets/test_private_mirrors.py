"""Private mirrors: containerd offers them the origin's credentials, which may not be theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.lab import ability
from harness.registry.protocols import KeepsAccessLog

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.lab import Lab


@pytest.mark.failure_modes(7)
def test_private_mirror_takes_its_own_credentials(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """With the mirror's credentials every node pulls what only the private mirror holds."""
    origin, mirror = lab.privately_mirrored()
    log = ability(mirror, KeepsAccessLog)
    image = publish(mirror)
    mark = log.mark()
    judge(checks.all_succeeded(pull(image.at(origin.host), mirror.credentials)))
    judge(checks.served_by(log.requests_since(mark), image.repository, lab.nodes))


@pytest.mark.failure_modes(7)
def test_private_mirror_refuses_the_origins_credentials(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """With the origin's credentials the private mirror refuses and the origin serves."""
    origin, mirror = lab.privately_mirrored()
    logs = ability(mirror, KeepsAccessLog), ability(origin, KeepsAccessLog)
    image = publish(origin, mirror)
    marks = tuple(log.mark() for log in logs)
    judge(checks.all_succeeded(pull(image.reference, origin.credentials)))
    refused, served = (log.requests_since(mark) for log, mark in zip(logs, marks, strict=True))
    judge(checks.refused_by(mirror.host, refused, image.repository, lab.nodes))
    judge(checks.served_by(served, image.repository, lab.nodes))
