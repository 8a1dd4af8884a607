"""Makes a whole fleet pull one image and waits for what its kubelets tell."""

from __future__ import annotations

import math
import time
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from harness.errors import WaitTimeoutError
from harness.fleet.coverage import Coverage
from harness.fleet.following import Following
from harness.fleet.manifest import SAMPLE_LABEL, daemon_set
from harness.fleet.reading import Reader, read_node, why_not_running
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.fleet.manifest import SampleOrder
    from harness.fleet.model import Answer, FleetNode
    from harness.kubernetes_api import KubernetesAPI

_NODES: Final = "/api/v1/nodes"
# A kubelet sends its events beside the pod's status; they come a little later.
_QUIET_SECONDS: Final = 5
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


class Fleet:
    """All nodes of a cluster, which pull images of one platform, such as linux/amd64."""

    def __init__(self, api: KubernetesAPI, platform: str) -> None:
        self._api = api
        self._platform = platform

    @cached_property
    def nodes(self) -> tuple[FleetNode, ...]:
        """The nodes at first sight, and of which no pod is to be expected."""
        return self._list_nodes()

    def pull(
        self, order: SampleOrder, *, image_bytes: int, timeout_seconds: float | None = None
    ) -> tuple[Answer, ...]:
        """Make every node pull one image, and return what became of it, sorted by node.

        Ends when all nodes have answered, and at the latest when the time is over, by default
        `time_limit_seconds`; the DaemonSet and its pods are gone when this returns. Raises
        KubernetesError when the API fails us, and WaitTimeoutError when pods remain.
        """
        events = Following(self._api, f"/api/v1/namespaces/{order.namespace}/events", _TELLING)
        events.begin()
        with _running(self._api, order):
            begun = time.monotonic()
            # The first sample's nodes are listed while they are pulling already.
            coverage = Coverage(self.nodes)
            limit = timeout_seconds or time_limit_seconds(len(self.nodes), image_bytes)
            self._await(coverage, order, events, begun + limit)
            if coverage.answered():
                return coverage.conclude(self.nodes)
            self._look(coverage, order)
            return coverage.conclude(self._list_nodes())

    def _await(
        self, coverage: Coverage, order: SampleOrder, events: Following, deadline: float
    ) -> None:
        """Take events until every node has told of its pull.

        Events can be lost. So when none has come for a while, the pods are looked at, each time
        after twice as long; when all have run, and no event came after that either, none will.
        """
        reader, quiet = Reader(order.reference, order.name), _QUIET_SECONDS
        while (left := math.ceil(deadline - time.monotonic())) > 0:
            heard = False
            with closing(events.changes(min(left, quiet))) as changes:
                for event in changes:
                    if (sign := reader.event(event)) is None:
                        continue
                    heard = True
                    coverage.note(sign)
                    if coverage.told():
                        return
            if heard:
                quiet = _QUIET_SECONDS
            elif coverage.answered():
                return
            else:
                self._look(coverage, order)
                quiet = _QUIET_SECONDS if coverage.answered() else 2 * quiet

    def _look(self, coverage: Coverage, order: SampleOrder) -> None:
        pods = self._api.each(_pods(order), labelSelector=_own(order))
        coverage.look(dict(map(why_not_running, pods)))

    def _list_nodes(self) -> tuple[FleetNode, ...]:
        return tuple(read_node(node, self._platform) for node in self._api.each(_NODES))


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
        interval_seconds=0.2,
    )


def _first_names(api: KubernetesAPI, order: SampleOrder) -> list[str]:
    page = api.get(_pods(order), limit=3, labelSelector=_own(order))
    return [pod["metadata"]["name"] for pod in page.get("items") or ()]


def _pods(order: SampleOrder) -> str:
    return f"/api/v1/namespaces/{order.namespace}/pods"


def _own(order: SampleOrder) -> str:
    return f"{SAMPLE_LABEL}={order.name}"
