"""Links of real containers, slowed down and healed."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness import oci
from harness.command import Completed
from harness.engine import open_engine
from harness.errors import EngineError
from harness.faults.fault import injected
from harness.faults.link import SlowLink, link_of
from harness.history import History
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.registry.distribution_start import distribution_registry
from harness.scenario.model import RegistrySpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.engine import Container
    from harness.registry.distribution import DistributionRegistry

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="slowing a link takes root")

NOBODYS = 2**31 - 1
KIB = 1024


@dataclass(frozen=True)
class Part:
    """A registry of the lab and the container that it runs in."""

    registry: DistributionRegistry
    container: Container

    def upload_seconds(self) -> float:
        layer = oci.image(layer_bytes=512 * KIB).layers[0]
        begin = time.monotonic()
        self.registry.api().push_blob("slow-link", layer)
        return time.monotonic() - begin


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Part, Part]]:
    folder = tmp_path_factory.mktemp("registries")
    name = f"slow-link-{uuid4().hex[:8]}"
    home = Home.locate(os.environ)
    with ExitStack() as stack:
        engine = stack.enter_context(open_engine(home, print, os.environ))
        images = provide_all([Image.REGISTRY_2_8], engine=engine, home=home, announce=print)
        network = engine.create_network(name, {})
        stack.callback(network.remove)
        parts = []
        for number in "12":
            registry = stack.enter_context(
                distribution_registry(
                    RegistrySpec(name=f"registry-{number}"),
                    engine=engine,
                    image_id=images[Image.REGISTRY_2_8].id,
                    network=network.name,
                    labels={},
                    name=f"{name}-{number}",
                    folder=folder / number,
                    authorities={},
                )
            )
            container = engine.container(registry.handle.container)
            assert container is not None
            parts.append(Part(registry, container))
        yield parts[0], parts[1]


def test_slow_link_delays_what_one_container_receives_and_nobody_else(
    parts: tuple[Part, Part],
) -> None:
    part, other = parts
    fast = part.upload_seconds()
    fault = SlowLink(link_of(part.container), bytes_per_second=256 * KIB)
    with injected(fault, into=History(), time_limit_seconds=60):
        slow = part.upload_seconds()
        unharmed = other.upload_seconds()
    healed = part.upload_seconds()

    # 512 KiB at 256 KiB/s; only what fills the bucket is free.
    assert slow > 1.9
    assert max(fast, unharmed, healed) < slow


def test_healing_twice_does_no_harm(parts: tuple[Part, Part]) -> None:
    fault = SlowLink(link_of(parts[0].container), bytes_per_second=256 * KIB)
    fault.inject()
    assert fault.is_active()

    fault.heal()
    fault.heal()

    assert not fault.is_active()


def test_slow_link_vanishes_when_its_container_stops(parts: tuple[Part, Part]) -> None:
    container = parts[1].container
    fault = SlowLink(link_of(container), bytes_per_second=256 * KIB)
    with injected(fault, into=History(), time_limit_seconds=60):
        container.kill()
        assert not fault.is_active()


def test_link_that_is_not_there_cannot_be_slow() -> None:
    fault = SlowLink(NOBODYS, bytes_per_second=256 * KIB)

    fault.heal()
    with pytest.raises(EngineError, match="No such device"):
        fault.inject()


class Claims:
    """A container that shows other numbers than those of a link to it."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def execute(self, arguments: Sequence[str], *, timeout_seconds: float = 30) -> Completed:
        del arguments, timeout_seconds
        return Completed(0, self._shown.encode(), "")


@pytest.mark.parametrize("shown", ["", f"7\n{NOBODYS}\n", "1\n1\n"])
def test_interfaces_that_are_no_link_to_the_container_are_left_alone(shown: str) -> None:
    with pytest.raises(EngineError, match="does not end on this machine"):
        link_of(Claims(shown))


def test_link_of_another_container_is_left_alone(parts: tuple[Part, Part]) -> None:
    outer = link_of(parts[0].container)
    with pytest.raises(EngineError, match="does not end on this machine"):
        link_of(Claims(f"{NOBODYS}\n{outer}\n"))
