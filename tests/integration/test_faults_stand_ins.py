"""An upstream that another server stands in for, and that comes back."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness.distribution_api import DistributionAPI, Endpoint, TrustedAuthority
from harness.engine import open_engine
from harness.errors import HarnessError
from harness.faults.fault import injected
from harness.faults.stand_ins import Replaced
from harness.history import History
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.registry.distribution_start import distribution_registry
from harness.scenario.model import RegistrySpec, TLSSpec
from harness.trust import Authority
from harness.wait import wait_until
from tests.fault_owner import HEALED_SECONDS, owned_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as engine:
        yield engine


@pytest.fixture(scope="module", params=["https", "http"])
def upstream(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DistributionRegistry]:
    name = f"stand-in-{uuid4().hex[:8]}"
    wanted = [Image.REGISTRY_2_8, Image.LOAD_BALANCER]
    home = Home.locate(os.environ)
    images = provide_all(wanted, engine=engine, home=home, announce=print)
    with ExitStack() as stack:
        network = engine.create_network(name, {})
        stack.callback(network.remove)
        yield stack.enter_context(
            distribution_registry(
                RegistrySpec(name="upstream", tls=TLSSpec() if request.param == "https" else None),
                engine=engine,
                image_id=images[Image.REGISTRY_2_8].id,
                network=network.name,
                labels={},
                name=name,
                folder=tmp_path_factory.mktemp("registries") / name,
                authorities={"private-ca": Authority.create("private-ca")},
                stand_in_image_id=images[Image.LOAD_BALANCER].id,
            )
        )


def answer_in_its_place(engine: Engine, upstream: DistributionRegistry) -> int:
    """Ask the stand-in under the registry's name, its certificate verified."""
    container = engine.container(f"{upstream.handle.container}.stand-in")
    assert container is not None
    trust = TrustedAuthority(upstream.ca) if upstream.ca else None
    return DistributionAPI(Endpoint(upstream.host, container.address, trust)).ping().status


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])
def test_stand_in_answers_under_the_name_and_certificate_of_the_upstream(
    engine: Engine, upstream: DistributionRegistry, status: HTTPStatus
) -> None:
    history = History()
    fault = Replaced(upstream.container, upstream.stand_in(status), f"answering {status}")

    with injected(fault, into=history, time_limit_seconds=60):
        assert answer_in_its_place(engine, upstream) == status

    upstream.wait_until_healthy()
    (recorded,) = history.faults
    assert (recorded.subject, recorded.fault) == ("upstream", f"answering {status}")
    assert engine.container(f"{upstream.handle.container}.stand-in") is None


def test_upstream_is_back_when_the_owner_of_the_fault_is_killed(
    upstream: DistributionRegistry,
) -> None:
    fault = Replaced(upstream.container, upstream.stand_in(HTTPStatus.BAD_GATEWAY), "answering 502")
    with owned_elsewhere(fault) as pid:
        assert fault.is_active()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not fault.is_active(), timeout_seconds=HEALED_SECONDS, what="the fault to heal"
        )
    upstream.wait_until_healthy()


def test_nothing_stands_in_for_a_registry_that_is_no_upstream(
    upstream: DistributionRegistry,
) -> None:
    other = type(upstream)(
        type(upstream.handle)(
            spec=RegistrySpec(name="other"),
            container="",
            folder=upstream.handle.folder,
            credentials=None,
        ),
        upstream._container,
    )
    with pytest.raises(HarnessError, match="is no upstream"):
        other.stand_in(HTTPStatus.BAD_GATEWAY)
