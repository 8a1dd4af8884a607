"""Pulls images the way users do: by a pod on a node, whose kubelet says what came of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from harness.cluster.pod_events import (
    ImageTimes,
    Phase,
    PodState,
    diagnose_refusal,
    image_times,
    lacks_secret,
    pod_events,
    pod_state,
    state_told,
)
from harness.cluster.protocols import PodPull
from harness.cluster.watching import watch_until
from harness.diagnosis import REMEDIES, Diagnosis, FailureCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.protocols import PodEvent
    from harness.kubernetes_api import Json, KubernetesAPI

PullPolicy = Literal["Always", "IfNotPresent", "Never"]

# Should an event be lost, the pod's status tells: it is looked at after so long.
_EVENT_SECONDS: Final = 3
# Should we end before we have deleted a pod, it does not run for ever.
_SPARE_SECONDS: Final = 120
_NOBODY: Final = 65532


@dataclass(frozen=True)
class PodOrder:
    """A pod to be made: an image, a node, and who may pull it.

    `node` is the node's name in reports, `node_name` the one that Kubernetes knows. Without a
    `service_account` it is the namespace's `default`. `secrets_exist` says that all pull secrets
    of the pod are there, so that a kubelet which has not got one must be asked again.
    `with_status` asks for the pod's status too, which comes up to a second after the events: the
    reason to wait, and the image's id. With `secrets_first` the kubelet has got the pull secrets
    before it thinks of the image, because the pod mounts them as well: that takes longer, and is
    for who counts what a registry is asked.
    """

    reference: str
    node: str
    node_name: str
    namespace: str
    pull_secrets: tuple[str, ...] = ()
    service_account: str = ""
    policy: PullPolicy = "IfNotPresent"
    secrets_exist: bool = True
    with_status: bool = False
    secrets_first: bool = False


def pull_as_pod(api: KubernetesAPI, order: PodOrder, *, timeout_seconds: float = 60) -> PodPull:
    """Run a pod on one node until its image is there or was refused, and remove it.

    The scheduler is not asked, and no taint keeps the pod away. A refusal is a result, as is a
    kubelet that does neither in time: its failure has the code `timeout` and shows the last
    state seen. Four requests of the API where all goes well, one more with the status. Raises
    KubernetesError where the API does not take the pod.

    A kubelet gives a secret that is new to it one second to arrive
    (`pkg/kubelet/util/manager/watch_based_manager.go`), and then pulls without. Such a pull shows
    nothing of the secret, so another pod is made while there is time.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        pull = _pull_once(api, order, timeout_seconds)
        lacked = order.secrets_exist and lacks_secret(pull.events) and not pull.succeeded
        if not lacked or time.monotonic() > deadline:
            return pull


def _pull_once(api: KubernetesAPI, order: PodOrder, timeout_seconds: float) -> PodPull:
    pods = f"/api/v1/namespaces/{order.namespace}/pods"
    name = f"pull-{secrets.token_hex(8)}"
    deadline = time.monotonic() + timeout_seconds
    started, begin = time.time(), time.perf_counter()
    try:
        created = api.create(pods, _pod(name, order, timeout_seconds))
        uid = str(created["metadata"]["uid"])
        if order.with_status:
            state = _settled(api, pods, name, timeout_seconds)
            duration = time.perf_counter() - begin
            events = _events(api, order.namespace, uid, state.phase, deadline)
        else:
            state, events = _told(api, order, name, uid, deadline)
            duration = time.perf_counter() - begin
    finally:
        api.delete(f"{pods}/{name}", grace_seconds=0)
    times = image_times(events) if state.phase is Phase.PULLED else ImageTimes()
    return PodPull(
        node=order.node,
        reference=order.reference,
        started=started,
        ended=started + duration,
        duration_seconds=duration,
        image_id=state.image_id or None,
        failure=_failure(state, events, timeout_seconds),
        waiting_reason=state.reason if state.phase is Phase.REFUSED else "",
        already_present=times.already_present,
        pulling_seconds=times.pulling_seconds,
        queueing_seconds=times.queueing_seconds,
        events=events,
    )


def _pod(name: str, order: PodOrder, timeout_seconds: float) -> Json:
    """Return a pod that the Pod Security level `restricted` admits and any node takes."""
    container: Json = {
        "name": "image",
        "image": order.reference,
        "imagePullPolicy": order.policy,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec: Json = {
        "nodeName": order.node_name,
        "containers": [container],
        "imagePullSecrets": [{"name": secret} for secret in order.pull_secrets],
        "tolerations": [{"operator": "Exists"}],
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": int(timeout_seconds) + _SPARE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if order.service_account:
        spec["serviceAccountName"] = order.service_account
    if order.secrets_first:
        container["volumeMounts"] = [
            {"name": secret, "mountPath": f"/pull-secrets/{secret}"}
            for secret in order.pull_secrets
        ]
        spec["volumes"] = [
            {"name": secret, "secret": {"secretName": secret}} for secret in order.pull_secrets
        ]
    return {"metadata": {"name": name}, "spec": spec}


def _told(
    api: KubernetesAPI, order: PodOrder, name: str, pod_uid: str, deadline: float
) -> tuple[PodState, tuple[PodEvent, ...]]:
    """Wait until the pod's events tell of its image; return what they tell, and the events.

    Events may be lost, so the pod itself is looked at whenever none has told for some seconds.
    """
    namespace = f"/api/v1/namespaces/{order.namespace}"
    seen: dict[str, Json] = {}

    def tells(event: Json) -> bool:
        seen[str(event["metadata"]["name"])] = event
        return state_told(pod_events([event])).phase is not Phase.WAITING

    while True:
        watch_until(
            api,
            f"{namespace}/events",
            tells,
            timeout_seconds=_EVENT_SECONDS,
            fieldSelector=f"involvedObject.uid={pod_uid}",
        )
        events = pod_events(seen.values())
        state = state_told(events)
        if state.phase is not Phase.WAITING:
            return state, events
        state = pod_state(api.find(f"{namespace}/pods/{name}") or {})
        if state.phase is not Phase.WAITING:
            # Where the status has overtaken its event, that one is on its way.
            return state, _events(api, order.namespace, pod_uid, state.phase, deadline)
        if time.monotonic() > deadline:
            return state, events


def _settled(api: KubernetesAPI, pods: str, name: str, timeout_seconds: float) -> PodState:
    """Wait until the kubelet has the image or refuses; return the last state seen."""
    state = PodState(Phase.WAITING)

    def decides(pod: Json) -> bool:
        nonlocal state
        state = pod_state(pod)
        return state.phase is not Phase.WAITING

    selector = f"metadata.name={name}"
    watch_until(api, pods, decides, timeout_seconds=timeout_seconds, fieldSelector=selector)
    return state


def _events(
    api: KubernetesAPI, namespace: str, pod_uid: str, phase: Phase, deadline: float
) -> tuple[PodEvent, ...]:
    """Return a pod's events, once the one is among them that tells of what its status says.

    Events leave the kubelet by a queue of their own, so that one may come after the status that
    it explains, on a busy machine long after. It may never come, because the kubelet limits its
    events: then the order's time runs out.
    """
    seen: dict[str, Json] = {}

    def tells(event: Json) -> bool:
        seen[str(event["metadata"]["name"])] = event
        return phase is Phase.WAITING or state_told(pod_events([event])).phase is phase

    path = f"/api/v1/namespaces/{namespace}/events"
    selector = f"involvedObject.uid={pod_uid}"
    left = deadline - time.monotonic()
    watch_until(api, path, tells, timeout_seconds=left, fieldSelector=selector)
    return pod_events(seen.values())


def _failure(
    state: PodState, events: Sequence[PodEvent], timeout_seconds: float
) -> Diagnosis | None:
    if state.phase is Phase.PULLED:
        return None
    if state.phase is Phase.REFUSED:
        return diagnose_refusal(state, events)
    last = f"; last event: {events[-1].reason}: {events[-1].message}" if events else "; no event"
    evidence = (
        f"the kubelet neither pulled nor refused in {timeout_seconds:g} s; last state of the pod: "
        f"{state}{last}"
    )
    return Diagnosis(FailureCode.TIMEOUT, evidence, REMEDIES[FailureCode.TIMEOUT])
