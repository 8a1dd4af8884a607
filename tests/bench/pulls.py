"""Our pull against the same call made bare: same node, same moment, images of the same kind."""

from __future__ import annotations

import statistics
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
WARM_PAIRS = 200
PULL_SECONDS = 60
LIMIT_SECONDS = 1800
SCENARIO = Scenario(
    version=1,
    name="bench",
    cluster=ClusterSpec(provider="containerd", nodes=1),
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
        return figures(*_measure(lab, pairs, announce))


def figures(cold: list[Pair], warm: list[Pair]) -> list[Figure]:
    """Return what pairs of pulls show.

    Cold pulls vary by far more than a hundredth. What we add to a call does not depend on how
    long the call takes, and warm pulls show it with less noise: that is the sharper figure.
    """
    ours, bare = [pair.ours for pair in cold], [pair.bare for pair in cold]
    typical = statistics.median(bare)
    sharper = [1 + (pair.ours - pair.bare) / typical for pair in warm]
    return [
        median_of("cold: our pull / bare call", _ratios(cold), "ratio", goal_max=GOAL),
        median_of("cold: what warm pulls show", sharper, "ratio", goal_max=GOAL),
        median_of("cold: our pull", ours, "s"),
        median_of("cold: bare call", bare, "s"),
        median_of("warm: we add", [pair.ours - pair.bare for pair in warm], "s"),
        median_of("warm: bare call", [pair.bare for pair in warm], "s"),
    ]


def _ratios(pairs: list[Pair]) -> list[float]:
    return [pair.ours / pair.bare for pair in pairs]


def _measure(
    lab: Lab, pairs: int, announce: Callable[[str], None]
) -> tuple[list[Pair], list[Pair]]:
    """Return pairs of cold pulls and pairs of warm ones."""
    node = lab.nodes[0]
    assert isinstance(node, ContainerdNode)
    with closing(grpc.insecure_channel(f"unix:{node.handle.socket}")) as channel:
        ours, bare = _our_pull(node, lab), _bare_pull(channel, lab)
        held = _new_image(lab)
        for contender in (ours, bare):  # the first call of each connects; it is not counted
            contender(held)
        cold = _in_turn(pairs, ours, bare, lambda: _new_image(lab))
        announce(f"{len(cold)} pairs of cold pulls done")
        return cold, _in_turn(WARM_PAIRS, ours, bare, lambda: held)


def _in_turn(
    pairs: int, ours: Contender, bare: Contender, reference: Callable[[], str]
) -> list[Pair]:
    """Pull ours first, bare first, bare first, ours first: a drift hits both alike."""
    measured = []
    for number in range(pairs):
        if number % 4 in (0, 3):
            pair = Pair(ours=_seconds(ours, reference()), bare=_seconds(bare, reference()))
        else:
            before = _seconds(bare, reference())
            pair = Pair(ours=_seconds(ours, reference()), bare=before)
        measured.append(pair)
    return measured


def _new_image(lab: Lab) -> str:
    """Push an image that nobody has and return its reference."""
    image = oci.image(layers=LAYERS, layer_bytes=IMAGE_BYTES // LAYERS)
    repository = workload.unique_repository("bench")
    return workload.publish(lab.primary, image, repository=repository).reference


def _seconds(contender: Contender, reference: str) -> float:
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
