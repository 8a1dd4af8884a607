"""A storage that takes nothing more: pushes are refused, by their reason, and pulls go on."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness import checks, oci, workload
from harness.diagnosis import FailureCode
from harness.faults.fault import injected
from harness.faults.storage import FullStorage, ReadOnlyStorage
from harness.lab import ability
from harness.registry.protocols import ExposesStorage

if TYPE_CHECKING:
    from fixtures.drill import Drill
    from fixtures.workload import Publish, Pull
    from harness.findings import Finding

BROKEN_SECONDS = 60.0


@pytest.mark.exclusive
def test_full_storage_refuses_pushes_and_serves_pulls(
    drill: Drill, publish: Publish, pull: Pull
) -> None:
    """No replica acknowledges a push for which there is no space; nodes pull all the same."""
    _without_writes(drill, FullStorage, publish, pull)


@pytest.mark.exclusive
def test_read_only_storage_refuses_pushes_and_serves_pulls(
    drill: Drill, publish: Publish, pull: Pull
) -> None:
    """No replica acknowledges a push that it cannot write; nodes pull all the same."""
    _without_writes(drill, ReadOnlyStorage, publish, pull)


def _without_writes(
    drill: Drill,
    fault: type[FullStorage | ReadOnlyStorage],
    publish: Publish,
    pull: Pull,
) -> None:
    """Push to each replica, and pull, while no replica can write; push again afterwards."""
    drill.judge(drill.wait_for_service())
    registry, history = drill.registry, drill.recorder.history
    folder = ability(registry, ExposesStorage).storage_folder
    image = publish(registry)
    found: list[Finding] = []
    with ExitStack() as broken:
        for replica in drill.replicas:
            there = fault(replica.container, folder)
            broken.enter_context(injected(there, into=history, time_limit_seconds=BROKEN_SECONDS))
        for replica in drill.replicas:
            repository = registry.spec.repository(workload.unique_repository("ha"))
            tried = workload.push_once(replica.api(), oci.image(), repository, host=registry.host)
            history.append(tried)
            found += checks.push_refused(replica.name, tried, FailureCode.STORAGE)
        pulls = pull(image.reference, registry.credentials)
    drill.judge(found, checks.all_succeeded(pulls))
    publish(registry)
