"""Copies as the lab's tools keep them: on push, and on a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import oci, workload
from harness.acceptance import Diary, Order, acceptance_run
from harness.faults.containers import Stopped
from harness.faults.fault import injected
from harness.faults.network import CutOff
from harness.history import History
from harness.lifecycle.run import new_run_id
from harness.machine import CHECKOUT
from harness.registry.distribution import DistributionRegistry
from harness.scenario.load import load
from harness.secret import new_password
from harness.wait import wait_until
from tests.acceptance_runs import LAB_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.clients import Replicates
    from harness.lab import Lab

SCENARIO = CHECKOUT / "tests/integration/replication.yaml"
AWAY = b"no such host"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    order = Order(
        run_id=new_run_id(),
        scenario=load(SCENARIO).scenario,
        secret=new_password(),
        keep_logs=lambda _: None,
        bundle=None,
        time_limit_seconds=LAB_SECONDS,
    )
    with acceptance_run(order, Diary(print)) as lab:
        yield lab


@pytest.fixture(params=["pushed", "scheduled"])
def replication(lab: Lab, request: pytest.FixtureRequest) -> Replicates:
    [found] = [one for one in lab.replications() if one.spec.destination == request.param]
    return found


@pytest.fixture
def repository() -> str:
    return workload.unique_repository("test")


def test_tag_that_is_deleted_alone_leaves_its_image_and_its_other_tags(
    replication: Replicates, repository: str
) -> None:
    image, api = oci.image(), replication.source.api()
    api.push(image, repository, "kept")
    api.push(image, repository, "doomed")
    assert replication.differences(repository) == ()

    api.delete_manifest(repository, "doomed")

    assert api.tags(repository) == ("kept",)
    assert replication.differences(repository) == ()
    assert replication.destination.api().tags(repository) == ("kept",)


def test_image_goes_with_all_its_tags(replication: Replicates, repository: str) -> None:
    image, other, api = oci.image(), oci.image(), replication.source.api()
    for tag in ("first", "second"):
        api.push(image, repository, tag)
    api.push(other, repository, "other")
    assert replication.differences(repository) == ()

    api.delete_manifest(repository, image.digest)

    assert replication.differences(repository) == ()
    assert replication.destination.api().tags(repository) == ("other",)


def test_image_in_a_repository_of_a_single_name_is_copied(replication: Replicates) -> None:
    name = workload.unique_repository("x").replace("/", "-")
    replication.source.api().push(oci.image(), name, "v1")

    assert replication.differences(name) == ()
    assert replication.destination.api().tags(name) == ("v1",)


def test_copy_keeps_all_while_its_source_is_away(lab: Lab, repository: str) -> None:
    scheduled = lab.replications()[1]
    source = scheduled.source
    assert isinstance(source, DistributionRegistry)
    source.api().push(oci.image(), repository, "v1")
    assert scheduled.differences(repository) == ()
    replicator = lab.replicators[1].container

    with injected(Stopped(source.container), into=History(), time_limit_seconds=60):
        # Each round begins by asking the source for its repositories.
        before = replicator.logs().count(AWAY)
        wait_until(
            lambda: replicator.logs().count(AWAY),
            ready=lambda count: count > before + 1,
            timeout_seconds=20,
            what="two rounds without a source",
        )
        held = scheduled.destination.api().tags(repository)
    source.wait_until_healthy()

    assert held == ("v1",)


def test_address_where_nobody_answers_is_soon_given_up(lab: Lab, replication: Replicates) -> None:
    source = replication.source
    assert isinstance(source, DistributionRegistry)
    replicator = lab.replicators[lab.replications().index(replication)].container
    fault = CutOff(replicator.known_as("replicator"), source.container)

    with injected(fault, into=History(), time_limit_seconds=60):
        asked = replicator.execute(
            ["skopeo", "inspect", "--raw", f"docker://{source.host}/any:v1"], timeout_seconds=20
        )

    assert "connection timed out" in asked.stderr


def test_logs_of_replicators_are_kept_without_passwords(lab: Lab, tmp_path: Path) -> None:
    for replicator in lab.replicators:
        replicator.collect_logs(tmp_path)

    kept = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(kept) == {"primary.to.pushed.log", "primary.to.scheduled.log"}
    secret = lab.handle.secret.reveal().encode()
    assert not [name for name, text in kept.items() if secret in text]
