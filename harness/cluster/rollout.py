"""Deployments and DaemonSets of our own: created, watched while they roll out, deleted."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.cluster.pod_events import pod_events
from harness.cluster.rollout_model import ControllerKind, Rollout, hang_of
from harness.cluster.rollout_state import (
    WORKLOAD_LABEL,
    claim_body,
    is_complete,
    read_claim,
    read_pod,
    refusals_of,
    state_in_words,
    workload_body,
)
from harness.cluster.watching import watch_until
from harness.errors import WaitTimeoutError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Self

    from harness.cluster.protocols import PodEvent
    from harness.cluster.rollout_model import Claim, Hang, RolledPod, Workload
    from harness.diagnosis import FailureCode
    from harness.kubernetes_api import Json, KubernetesAPI

_PLURALS: Final = {
    ControllerKind.DEPLOYMENT: "deployments",
    ControllerKind.DAEMON_SET: "daemonsets",
}
# Pods are given one second to end; a node needs some more to take their network down.
_ENDING_SECONDS: Final = 60


class RunningWorkload:
    """A workload in the cluster: created on entry, deleted with its pods on exit.

    Whatever was left under its name is deleted before.
    """

    def __init__(self, api: KubernetesAPI, workload: Workload) -> None:
        self.workload = workload
        self._api = api
        self._collection = (
            f"/apis/apps/v1/namespaces/{workload.namespace}/{_PLURALS[workload.kind]}"
        )
        self._path = f"{self._collection}/{workload.name}"
        self._pods = f"/api/v1/namespaces/{workload.namespace}/pods"
        self._ordered = time.monotonic()

    def __enter__(self) -> Self:
        self.delete()
        self._ordered = time.monotonic()
        self._api.create(self._collection, workload_body(self.workload))
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()

    def change_image(self, image: str) -> None:
        """Order another image; returns at once."""
        self.workload = replace(self.workload, image=image)
        template = workload_body(self.workload)["spec"]["template"]
        self._ordered = time.monotonic()
        self._api.merge(self._path, {"spec": {"template": template}})

    def wait(self, *, timeout_seconds: float) -> Rollout:
        """Wait until the last order is carried out and all earlier pods are gone.

        A rollout that hangs is a result, not an exception: it tells why.
        """
        kind = self.workload.kind
        done = self._watch(lambda found: is_complete(kind, found), timeout_seconds)
        seconds = time.monotonic() - self._ordered
        controller = done or self._api.get(self._path)
        if done is not None:
            self._wait_for_ending_pods()
        return self._rollout(controller, complete=done is not None, seconds=seconds)

    def wait_for_refusal(self, cause: FailureCode, *, timeout_seconds: float) -> Rollout:
        """Wait until a pod of the last order is refused its image for one cause, or has it.

        Another cause may come first and pass: a kubelet waits for a new pull secret for one
        second only, and then tries without.
        """
        kind, image = self.workload.kind, self.workload.image

        def is_decided(pod: Json) -> bool:
            found = read_pod(pod, ())
            refused = found.hang is not None and found.hang.pull_failure is cause
            return found.image == image and (found.ready or refused)

        watch_until(
            self._api,
            self._pods,
            is_decided,
            timeout_seconds=timeout_seconds,
            labelSelector=self._selector,
        )
        seconds = time.monotonic() - self._ordered
        controller = self._api.get(self._path)
        return self._rollout(controller, complete=is_complete(kind, controller), seconds=seconds)

    def pods(self) -> tuple[RolledPod, ...]:
        """Return the pods that are there now, each with what keeps it from being ready."""
        events = self._events()
        return tuple(
            read_pod(pod, events["Pod", str(pod["metadata"]["name"])])
            for pod in self._api.list(self._pods, labelSelector=self._selector)
        )

    def delete(self) -> None:
        """Delete the workload and wait until its pods are gone; none is no error.

        The garbage collector may not know yet of pods that were made just now, and lets the
        workload go before them.
        """
        self._api.delete(self._path, owned_first=True)
        wait_until(
            lambda: self._api.find(self._path) is None and not self.pods(),
            timeout_seconds=_ENDING_SECONDS,
            what=f"{self.workload.name} and its pods to be gone",
            interval_seconds=0.1,
        )

    @property
    def _selector(self) -> str:
        return f"{WORKLOAD_LABEL}={self.workload.name}"

    def _watch(self, accept: Callable[[Json], bool], timeout_seconds: float) -> Json | None:
        return watch_until(
            self._api,
            self._collection,
            accept,
            timeout_seconds=timeout_seconds,
            fieldSelector=f"metadata.name={self.workload.name}",
        )

    def _wait_for_ending_pods(self) -> None:
        """Wait for old pods, which controllers do not count any more; one that stays is judged."""
        with suppress(WaitTimeoutError):
            wait_until(
                lambda: any(pod.ending for pod in self.pods()),
                ready=lambda ending: not ending,
                timeout_seconds=_ENDING_SECONDS,
                what="the old pods to be gone",
                interval_seconds=0.1,
            )

    def _rollout(self, controller: Json, *, complete: bool, seconds: float) -> Rollout:
        return Rollout(
            workload=self.workload.name,
            image=self.workload.image,
            complete=complete,
            seconds=seconds,
            state=state_in_words(controller),
            pods=self.pods(),
            hangs=() if complete else self._hangs(controller),
        )

    def _hangs(self, controller: Json) -> tuple[Hang, ...]:
        """Return what keeps the controller from making pods at all, such as a quota."""
        events = self._events()[self.workload.kind.value, self.workload.name]
        reasons = refusals_of(controller)
        warned = any(event.type == "Warning" for event in events)
        return (hang_of(reasons, events),) if warned or reasons else ()

    def _events(self) -> defaultdict[tuple[str, str], tuple[PodEvent, ...]]:
        """Return the events of the namespace by the kind and name that they tell of."""
        found: defaultdict[tuple[str, str], list[Json]] = defaultdict(list)
        for event in self._api.list(f"/api/v1/namespaces/{self.workload.namespace}/events"):
            about = event["involvedObject"]
            found[str(about.get("kind")), str(about.get("name"))].append(event)
        return defaultdict(tuple, {about: pod_events(events) for about, events in found.items()})


@contextmanager
def claimed_volume(api: KubernetesAPI, namespace: str, name: str) -> Generator[Claim]:
    """Claim a ReadWriteOnce volume of the default storage class; given back afterwards.

    The claim's storage class is empty where the cluster has no default one.
    """
    collection = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    api.delete(f"{collection}/{name}")
    try:
        yield read_claim(api.create(collection, claim_body(name)))
    finally:
        api.delete(f"{collection}/{name}")


def claim_of(api: KubernetesAPI, namespace: str, name: str) -> Claim:
    """Return a claim as it is now: bound, or still waiting for its first pod."""
    return read_claim(api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"))
