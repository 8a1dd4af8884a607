"""Our pull against the same call made bare: same node, same moment, images of the same kind."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from harness import oci, workload
from harness.acceptance import Diary, Order, acceptance_run
from harness.cluster.containerd_node import ContainerdNode
from harness.cri import runtime_pb2 as messages
from harness.lab import credentials_of
from harness.lifecycle.run import new_run_id
from harness.scenario.model import MIB, AuthSpec, ClusterSpec, RegistrySpec, Scenario, TLSSpec
from harness.secret import new_password
from tests.bench.figure import median_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.lab import Lab
    from tests.bench.figure import Figure

    # One way to pull an image by its reference; raises when the runtime refuses.
    Contender = Callable[[str], None]

IMAGE_BYTES = 10 * MIB
LAYERS = 5
GOAL = 1.02
PULL_SECONDS = 60
LIMIT_SECONDS = 1800
SCENARIO = Scenario(
    version=1,
    name="bench",
    cluster=ClusterSpec(nodes=1),
    registries=(RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec()),),
)


@dataclass(frozen=True)
class Pair:
    """Seconds of two pulls, one right after the other."""

    ours: float
    bare: float


def measure_pulls(pairs: int, announce: Callable[[str], None]) -> list[Figure]:
    """Pull so many pairs of images in a lab of one node and one registry."""
    order = Order(
        run_id=new_run_id(),
        scenario=SCENARIO,
        secret=new_password(),
        keep_logs=lambda _: None,
        bundle=None,
        time_limit_seconds=LIMIT_SECONDS,
    )
    with acceptance_run(order, Diary(announce)) as lab:
        return figures(_measure(lab, pairs, announce))


def figures(measured: list[Pair]) -> list[Figure]:
    """Return what pairs of pulls show."""
    ratios = [pair.ours / pair.bare for pair in measured]
    return [
        median_of("our pull / bare call", ratios, "ratio", goal_max=GOAL),
        median_of("our pull", [pair.ours for pair in measured], "s"),
        median_of("bare call", [pair.bare for pair in measured], "s"),
    ]


def _measure(lab: Lab, pairs: int, announce: Callable[[str], None]) -> list[Pair]:
    node = lab.nodes[0]
    assert isinstance(node, ContainerdNode)
    channel = grpc.insecure_channel(f"unix:{node.handle.socket}")
    with closing(channel):
        ours, bare = _our_pull(node, lab), _bare_pull(channel, lab)
        for contender in (ours, bare):  # the first call of each connects; it is not counted
            _seconds(contender, lab)
        measured = []
        for number in range(pairs):
            # Ours first, bare first, bare first, ours first: a drift hits both alike.
            if number % 2 == 0:
                pair = Pair(ours=_seconds(ours, lab), bare=_seconds(bare, lab))
            else:
                reverse = _seconds(bare, lab)
                pair = Pair(ours=_seconds(ours, lab), bare=reverse)
            measured.append(pair)
            announce(f"pair {number + 1}: ours {pair.ours:.3f} s, bare {pair.bare:.3f} s")
    return measured


def _seconds(contender: Contender, lab: Lab) -> float:
    """Return how long a contender takes to pull an image that nobody has."""
    image = oci.image(layers=LAYERS, layer_bytes=IMAGE_BYTES // LAYERS)
    repository = workload.unique_repository("bench")
    reference = workload.publish(lab.primary, image, repository=repository).reference
    begin = time.perf_counter()
    contender(reference)
    return time.perf_counter() - begin


def _our_pull(node: ContainerdNode, lab: Lab) -> Contender:
    credentials = credentials_of(lab.primary)

    def pull(reference: str) -> None:
        failure = node.pull(reference, credentials).failure
        assert failure is None, failure

    return pull


def _bare_pull(channel: grpc.Channel, lab: Lab) -> Contender:
    credentials = credentials_of(lab.primary)
    auth = messages.AuthConfig(
        username=credentials.username, password=credentials.password.reveal()
    )
    call = channel.unary_unary(
        "/runtime.v1.ImageService/PullImage",
        request_serializer=messages.PullImageRequest.SerializeToString,
        response_deserializer=messages.PullImageResponse.FromString,
    )

    def pull(reference: str) -> None:
        image = messages.ImageSpec(image=reference)
        call(messages.PullImageRequest(image=image, auth=auth), timeout=PULL_SECONDS)

    return pull
