"""Makes a whole fleet pull one image and waits for what its kubelets tell."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from harness.errors import WaitTimeoutError
from harness.fleet.coverage import Coverage
from harness.fleet.following import Following
from harness.fleet.manifest import SAMPLE_LABEL, daemon_set
from harness.fleet.reading import Reader, read_node, why_not_running
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from harness.fleet.manifest import SampleOrder
    from harness.fleet.model import Answer, FleetNode, Sign
    from harness.kubernetes_api import KubernetesAPI

_NODES: Final = "/api/v1/nodes"
# A kubelet sends its events beside the pod's status; the last ones come a little later.
_LATE_EVENTS_SECONDS: Final = 5
_REMOVAL_SECONDS: Final = 60

# What is left tells of pulls, and of what hinders them: less than half of all events.
_IRRELEVANT: Final = (
    *("Scheduled", "Pulling", "Created", "Started", "BackOff", "Killing"),
    *("SuccessfulCreate", "SuccessfulDelete", "FailedScheduling"),
)
_TELLING: Final = ",".join(f"reason!={reason}" for reason in _IRRELEVANT)


def time_limit_seconds(nodes: int, image_bytes: int) -> float:
    """Return how long a fleet may take for one sample.

    Kubernetes creates and schedules at least ten pods a second by its defaults. A registry that
    gives all nodes together less than 100 MB a second is too slow to be measured so.
    """
    return 120 + nodes * (0.1 + image_bytes / 100e6)


def list_nodes(api: KubernetesAPI, platform: str) -> tuple[FleetNode, ...]:
    """Return all nodes, and of which no pod of the platform is to be expected."""
    return tuple(read_node(node, platform) for node in api.each(_NODES))


def pull_everywhere(
    api: KubernetesAPI,
    order: SampleOrder,
    nodes: Sequence[FleetNode],
    *,
    timeout_seconds: float,
) -> tuple[Answer, ...]:
    """Make every node pull one image, and return what became of it, sorted by node.

    Ends when all nodes have answered, and at the latest after `timeout_seconds`; the DaemonSet
    and its pods are gone when this returns. Raises KubernetesError when the API fails us, and
    WaitTimeoutError when pods remain.
    """
    reader = Reader(order.reference, order.name)
    coverage = Coverage(nodes)
    signs: SimpleQueue[Sign | Exception] = SimpleQueue()
    # Pods that do not run yet are none of our concern, so each is told of only once or twice.
    begun = {"labelSelector": _own(order), "fieldSelector": "status.phase!=Pending"}
    events = f"/api/v1/namespaces/{order.namespace}/events"
    following = (
        Following(api, _pods(order), reader.pod, signs, begun),
        Following(api, events, reader.event, signs, {"fieldSelector": _TELLING}),
    )
    for stream in following:
        stream.prepare()
    with _running(api, order):
        with ExitStack() as streams:
            for stream in following:
                streams.enter_context(stream.reading(timeout_seconds))
            _await(coverage, signs, time.monotonic() + timeout_seconds)
        if coverage.answered:
            return coverage.conclude()
        found = dict(map(why_not_running, api.each(_pods(order), labelSelector=_own(order))))
        return coverage.conclude(found, list_nodes(api, order.platform))


def _await(coverage: Coverage, signs: SimpleQueue[Sign | Exception], deadline: float) -> None:
    """Take signs until everybody has told of the pull, or has answered and says no more."""
    while not coverage.told:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        patience = min(left, _LATE_EVENTS_SECONDS) if coverage.answered else left
        try:
            sign = signs.get(timeout=patience)
        except Empty:
            return
        if isinstance(sign, Exception):
            raise sign
        coverage.note(sign)


@contextmanager
def _running(api: KubernetesAPI, order: SampleOrder) -> Generator[None]:
    """Create the DaemonSet; take it away with its pods in any case."""
    sets = f"/apis/apps/v1/namespaces/{order.namespace}/daemonsets"
    try:
        api.create(sets, daemon_set(order))
        yield
    finally:
        api.delete(f"{sets}/{order.name}")
        _remove_pods(api, order)


def _remove_pods(api: KubernetesAPI, order: SampleOrder) -> None:
    """Delete the pods of a DaemonSet that is deleted, and wait until they are gone.

    The garbage collector would do it too, at twenty requests a second. Pods that never ran may
    stand on nodes that do not answer: nobody would confirm their end.
    """
    pods, own = _pods(order), _own(order)
    api.delete(pods, grace_seconds=0, labelSelector=own, fieldSelector="status.phase=Pending")
    api.delete(pods, labelSelector=own)
    try:
        _wait_for_no_pods(api, order)
    except WaitTimeoutError:
        api.delete(pods, grace_seconds=0, labelSelector=own)
        _wait_for_no_pods(api, order)


def _wait_for_no_pods(api: KubernetesAPI, order: SampleOrder) -> None:
    wait_until(
        lambda: _first_names(api, order),
        ready=lambda names: not names,
        timeout_seconds=_REMOVAL_SECONDS,
        what=f"the pods of DaemonSet {order.name} to be gone",
        interval_seconds=1,
    )


def _first_names(api: KubernetesAPI, order: SampleOrder) -> list[str]:
    page = api.get(_pods(order), limit=3, labelSelector=_own(order))
    return [pod["metadata"]["name"] for pod in page.get("items") or ()]


def _pods(order: SampleOrder) -> str:
    return f"/api/v1/namespaces/{order.namespace}/pods"


def _own(order: SampleOrder) -> str:
    return f"{SAMPLE_LABEL}={order.name}"
