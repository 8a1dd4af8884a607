from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.engine.blackhole import METRIC, add_blackhole, remove_blackhole
from harness.errors import EngineError
from tests.integration.namespace import own_network_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="changing routes takes root")

SUBNET = "198.51.100.0/29"


@pytest.fixture(autouse=True)
def own_network() -> Iterator[None]:
    with own_network_namespace():
        yield


def metrics() -> list[int]:
    """Return the metrics of all routes to the subnet."""
    lines = Path("/proc/thread-self/net/route").read_text().splitlines()[1:]
    # The address is written in the machine's byte order.
    return [int(line.split()[6]) for line in lines if line.split()[1] == "006433C6"]


def test_route_is_there_until_it_is_removed() -> None:
    add_blackhole(SUBNET)
    assert metrics() == [METRIC]

    remove_blackhole(SUBNET)
    assert metrics() == []


def test_adding_and_removing_twice_does_no_harm() -> None:
    add_blackhole(SUBNET)
    add_blackhole(SUBNET)
    assert metrics() == [METRIC]

    remove_blackhole(SUBNET)
    remove_blackhole(SUBNET)
    assert metrics() == []


def test_what_is_no_subnet_is_an_error() -> None:
    with pytest.raises(EngineError, match="blackhole route for 198"):
        add_blackhole("198.51.100.1/8")
