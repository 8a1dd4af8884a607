"""A registry that cannot be reached or misbehaves is named so; it is never just a slow pull."""

from __future__ import annotations

import os
from contextlib import ExitStack
from ipaddress import ip_network
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness.cluster.containerd import NodeParts, containerd_cluster
from harness.diagnosis import FailureCode
from harness.engine import open_engine
from harness.home import Home
from harness.hosts_toml import Host, HostsFile, render
from harness.images.provide import provide_all
from harness.lab.certs_d import hosts_file
from harness.lab.parts import NODE_IMAGES
from harness.scenario.model import ClusterSpec
from tests.integration.hostile_server import (
    answers,
    drips,
    hangs_up,
    hostile_server,
    resets,
    says_nothing,
    stalls,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.containerd_node import ContainerdNode
    from harness.cluster.protocols import Pull
    from harness.engine import Engine, Network
    from tests.integration.hostile_server import Behaviour

LABEL = "pullproof.test"
# So long a pull waits for what never comes.
PATIENCE_SECONDS = 2.0


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as engine:
        yield engine


@pytest.fixture(scope="module")
def network(engine: Engine) -> Iterator[Network]:
    network = engine.create_network(f"test-{uuid4().hex[:8]}", {LABEL: "hostile"})
    yield network
    network.remove()


@pytest.fixture(scope="module", params=list(NODE_IMAGES))
def node(
    request: pytest.FixtureRequest,
    engine: Engine,
    network: Network,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ContainerdNode]:
    image = NODE_IMAGES[request.param]
    home = Home.locate(os.environ)
    provided = provide_all((image,), engine=engine, home=home, announce=print)
    parts = NodeParts(
        image=provided[image].id,
        network=network.name,
        folder=tmp_path_factory.mktemp("node"),
        labels={LABEL: "hostile"},
        run_id=f"{network.name}-{request.param.replace('.', '-')}",
        files={},
    )
    spec = ClusterSpec.model_validate({"nodes": 1, "containerd": request.param})
    with ExitStack() as stack:
        yield stack.enter_context(containerd_cluster(spec, parts, engine)).nodes[0]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        pytest.param(resets, FailureCode.CONNECTION, id="reset"),
        pytest.param(hangs_up, FailureCode.CONNECTION, id="hang-up"),
        pytest.param(answers("429 Too Many Requests"), FailureCode.RATE_LIMITED, id="429"),
        pytest.param(answers("500 Oops"), FailureCode.SERVER_ERROR, id="500"),
        pytest.param(answers("502 Bad Gateway"), FailureCode.SERVER_ERROR, id="502"),
        pytest.param(answers("503 Unavailable"), FailureCode.SERVER_ERROR, id="503"),
        pytest.param(answers("504 Gateway Timeout"), FailureCode.SERVER_ERROR, id="504"),
    ],
)
def test_misbehaviour_is_named(
    node: ContainerdNode, network: Network, behaviour: Behaviour, code: FailureCode
) -> None:
    with hostile_server(network.gateway, behaviour) as port:
        pull = pull_from(f"{network.gateway}:{port}", node)

    assert pull.failure is not None
    assert pull.failure.code is code, pull.failure.evidence


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(says_nothing, id="silence"),
        pytest.param(drips, id="slow-headers"),
        pytest.param(stalls, id="stalled-body"),
    ],
)
def test_what_never_comes_is_a_timeout(
    node: ContainerdNode, network: Network, behaviour: Behaviour
) -> None:
    with hostile_server(network.gateway, behaviour) as port:
        pull = pull_from(f"{network.gateway}:{port}", node, timeout_seconds=PATIENCE_SECONDS)

    assert pull.failure is not None
    assert pull.failure.code is FailureCode.TIMEOUT, pull.failure.evidence


def pull_from(host: str, node: ContainerdNode, *, timeout_seconds: float = 60) -> Pull:
    """Pull from a server of ours over plain HTTP."""
    node.write_file(hosts_file(host), render(HostsFile(Host(f"http://{host}"))).encode())
    return node.pull(f"{host}/anything:v1", timeout_seconds=timeout_seconds)


def test_address_that_nobody_has_is_a_failed_connection(
    node: ContainerdNode, network: Network
) -> None:
    nobody = ip_network(network.subnet)[-2]

    pull = node.pull(f"{nobody}:5000/anything:v1")

    assert pull.failure is not None
    assert pull.failure.code is FailureCode.CONNECTION, pull.failure.evidence


def test_address_that_swallows_packets_is_a_timeout(node: ContainerdNode, network: Network) -> None:
    nobody = ip_network(network.subnet)[-2]

    pull = node.pull(f"{nobody}:5000/anything:v1", timeout_seconds=0.5)

    assert pull.failure is not None
    assert pull.failure.code is FailureCode.TIMEOUT, pull.failure.evidence
