"""Two replicas and their load balancer, in real containers."""

from __future__ import annotations

import csv
import os
import pickle
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import urllib3

from harness import oci
from harness.engine import open_engine
from harness.faults.certificates import expired_certificate
from harness.faults.containers import Stopped
from harness.faults.fault import injected
from harness.history import History
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.registry import haproxy
from harness.registry.protocols import ChangesCredentials, HasLoadBalancer, HasReplicas
from harness.registry.replicated import ReplicatedRegistry, attach
from harness.registry.replicated_start import replicated_registry
from harness.scenario.model import AuthSpec, RegistrySpec, TLSSpec
from harness.secret import Credentials, new_password
from harness.trust import Authority, certificate_facts
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.engine import Engine
    from harness.images.model import ProvidedImage
    from harness.registry.distribution import DistributionRegistry

SPEC = RegistrySpec(name="ha", tls=TLSSpec(), auth=AuthSpec(), replicas=2)
LABEL = "pullproof.test"


@dataclass(frozen=True)
class Stage:
    """A network of an engine, and what it takes to start such a registry in it."""

    engine: Engine
    images: dict[Image, ProvidedImage]
    network: str
    folder: Path

    def start(self) -> AbstractContextManager[DistributionRegistry]:
        return replicated_registry(
            SPEC,
            engine=self.engine,
            image_id=self.images[Image.REGISTRY_2_8].id,
            load_balancer_image_id=self.images[Image.LOAD_BALANCER].id,
            network=self.network,
            labels={LABEL: f"{self.network}-registry"},
            name=f"{self.network}-ha",
            folder=self.folder,
            authorities={"private-ca": Authority.create("private-ca")},
        )

    def leftovers(self) -> tuple[str, ...]:
        files = (str(path) for path in (self.folder,) if path.exists())
        return (*self.engine.labelled(LABEL, f"{self.network}-registry"), *files)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = Home.locate(os.environ)
    with open_engine(home, print, os.environ) as engine:
        wanted = (Image.REGISTRY_2_8, Image.LOAD_BALANCER)
        images = provide_all(wanted, engine=engine, home=home, announce=print)
        network = engine.create_network(f"test-{uuid4().hex[:8]}", {LABEL: "network"})
        try:
            folder = tmp_path_factory.mktemp("registries") / "ha"
            yield Stage(engine, images, network.name, folder)
        finally:
            network.remove()


@pytest.fixture(scope="module")
def registry(stage: Stage) -> Iterator[ReplicatedRegistry]:
    """The one registry of this module: all its parts are gone when the tests have ended."""
    with stage.start() as started:
        assert isinstance(started, ReplicatedRegistry)
        started.wait_until_in_service()
        yield started
    assert stage.leftovers() == ()


@pytest.fixture
def repository() -> str:
    return f"test/{uuid4().hex[:12]}"


def test_each_replica_serves_what_was_pushed_through_the_load_balancer(
    registry: ReplicatedRegistry, repository: str
) -> None:
    image = oci.image()

    registry.api().push(image, repository, "v1")

    for replica in registry.replicas:
        assert replica.api().manifest(repository, "v1").digest == image.digest


def test_load_balancer_has_the_name_and_replicas_prove_the_same(
    registry: ReplicatedRegistry,
) -> None:
    served = {
        certificate_facts(each.served_certificate()).fingerprint for each in registry.replicas
    }
    served.add(certificate_facts(registry.served_certificate()).fingerprint)

    addresses = {each.endpoint.address for each in (registry, *registry.replicas)}

    assert len(served) == 1
    assert len(addresses) == 3
    assert isinstance(registry, HasReplicas)
    assert isinstance(registry, HasLoadBalancer)
    assert [replica.name for replica in registry.replicas] == ["ha-1", "ha-2"]


def test_log_tells_the_requests_of_all_replicas(
    registry: ReplicatedRegistry, repository: str
) -> None:
    mark = registry.mark()

    for replica in registry.replicas:
        replica.api().manifest_exists(repository, replica.name)
    registry.api().manifest_exists(repository, "balanced")

    seen = [request.path.rpartition("/")[2] for request in registry.requests_since(mark)]
    assert sorted(seen) == ["balanced", "ha-1", "ha-2"]


def test_account_is_one_of_all_replicas(registry: ReplicatedRegistry) -> None:
    assert isinstance(registry, ChangesCredentials)
    credentials = Credentials("guest", new_password())

    registry.set_password(credentials.username, credentials.password)

    assert [each.api(credentials).ping().status for each in registry.replicas] == [200, 200]


def test_dead_replica_is_taken_out_of_service_and_back(
    registry: ReplicatedRegistry, repository: str
) -> None:
    image = oci.image()
    registry.api().push(image, repository, "v1")
    dead, living = registry.replicas
    killed = time.time()

    dead._container.kill()

    for _ in range(4):  # those that are still sent to the dead one are sent on
        assert registry.api().manifest(repository, "v1").digest == image.digest
    wait_until(
        registry.load_balancer.in_service,
        ready=lambda names: names == (living.name,),
        timeout_seconds=10,
        what="the dead replica to be out of service",
    )
    dead._container.start()
    registry.wait_until_healthy()
    registry.wait_until_in_service()
    reached = {session.server for session in registry.load_balancer.sessions_since(killed)}
    assert living.name in reached


def last_check(registry: ReplicatedRegistry, server: str) -> str:
    """Return how the load balancer's last look at a server ended, as its statistics call it."""
    address = registry.load_balancer.address
    url = f"http://{address}:{haproxy.STATISTICS_PORT}{haproxy.STATISTICS_PATH}"
    told = urllib3.request("GET", url, retries=False, timeout=2).data.decode()
    rows = csv.DictReader(told.removeprefix("# ").splitlines())
    (status,) = (row["check_status"] for row in rows if row["svname"] == server)
    return status


def test_replica_that_comes_back_with_a_wrong_certificate_stays_out_of_service(
    registry: ReplicatedRegistry, repository: str
) -> None:
    image = oci.image()
    registry.api().push(image, repository, "v1")
    wrong, right = registry.replicas

    with injected(Stopped(wrong.container), into=History(), time_limit_seconds=60):
        wait_until(
            registry.load_balancer.in_service,
            ready=lambda names: names == (right.name,),
            timeout_seconds=10,
            what="the replica to be out of service",
        )
        with injected(expired_certificate(wrong), into=History(), time_limit_seconds=60):
            wait_until(
                lambda: last_check(registry, wrong.name),
                ready=lambda status: status.endswith("L6RSP"),
                timeout_seconds=10,
                what="the load balancer to have refused its certificate",
            )
            for _ in range(8):
                assert registry.api().manifest(repository, "v1").digest == image.digest
                assert registry.load_balancer.in_service() == (right.name,)

    registry.wait_until_in_service()


def test_another_process_uses_the_registry_by_its_handle(
    stage: Stage, registry: ReplicatedRegistry, repository: str
) -> None:
    attached = attach(pickle.loads(pickle.dumps(registry.handle)), stage.engine)  # noqa: S301 - ours

    attached.api().push(oci.image(), repository, "v1")

    assert isinstance(attached, ReplicatedRegistry)
    assert isinstance(attached, ChangesCredentials)
    assert attached.memory_bytes() > registry.replicas[0].memory_bytes()


def test_restart_keeps_everything(registry: ReplicatedRegistry, repository: str) -> None:
    image = oci.image()
    registry.api().push(image, repository, "v1")

    registry.restart()

    assert registry.api().manifest(repository, "v1").digest == image.digest


def test_logs_of_replicas_and_load_balancer_are_kept(
    registry: ReplicatedRegistry, tmp_path: Path
) -> None:
    registry.collect_logs(tmp_path)

    assert "GET /v2/" in (tmp_path / "ha.log").read_text()
    assert "registry replicas/ha-" in (tmp_path / "ha-load-balancer.log").read_text()
