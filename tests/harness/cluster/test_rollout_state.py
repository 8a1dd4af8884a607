from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cluster.protocols import PodEvent
from harness.cluster.rollout_model import Claim, ControllerKind, HangCode, Workload
from harness.cluster.rollout_state import (
    claim_body,
    is_complete,
    read_claim,
    read_pod,
    refusals_of,
    state_in_words,
    workload_body,
)

if TYPE_CHECKING:
    from harness.kubernetes_api import Json

DEPLOYMENT, DAEMON_SET = ControllerKind.DEPLOYMENT, ControllerKind.DAEMON_SET
DONE = {"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 2, "replicas": 2}
EVERYWHERE = {
    "observedGeneration": 1,
    "desiredNumberScheduled": 3,
    "currentNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberAvailable": 3,
}


def workload(kind: ControllerKind, *, claim: str = "") -> Workload:
    return Workload(kind, "ours", "roller", "r.test/a:v1", replicas=2, claim=claim)


def deployment(**status: object) -> Json:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {**DONE, **status}}


def daemon_set(**status: object) -> Json:
    return {"metadata": {"generation": 1}, "status": {**EVERYWHERE, **status}}


def pod(status: Json, *, ending: bool = False, node: str | None = "worker") -> Json:
    metadata = {"name": "roller-1", **({"deletionTimestamp": "2026-01-01"} if ending else {})}
    spec = {"containers": [{"image": "r.test/a:v2"}], "nodeName": node}
    return {"metadata": metadata, "spec": spec, "status": status}


def test_deployment_is_written_with_replicas_and_strategy() -> None:
    body = workload_body(workload(DEPLOYMENT))

    assert (body["kind"], body["spec"]["replicas"]) == ("Deployment", 2)
    assert body["spec"]["strategy"] == {"type": "RollingUpdate"}
    template = body["spec"]["template"]
    assert body["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert "tolerations" not in template["spec"]
    assert template["spec"]["imagePullSecrets"] == []


def test_daemon_set_tolerates_everything_and_changes_all_nodes_at_once() -> None:
    body = workload_body(workload(DAEMON_SET))

    assert body["spec"]["template"]["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert body["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == "100%"


def test_secret_and_claim_are_written_where_there_are_some() -> None:
    body = workload_body(
        Workload(
            *(DEPLOYMENT, "ours", "roller", "r.test/a:v1"),
            pull_secrets=("key",),
            claim="data",
        )
    )

    spec = body["spec"]["template"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "key"}]
    assert spec["containers"][0]["volumeMounts"][0]["name"] == spec["volumes"][0]["name"]
    assert spec["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data"


def test_claim_asks_for_a_volume_of_one_node() -> None:
    body = claim_body("data")

    assert body["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert body["spec"]["resources"]["requests"]["storage"] == "8Mi"


def test_access_modes_of_a_volume_count_more_than_those_of_the_wish() -> None:
    wish: Json = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "standard"},
    }
    bound = {**wish, "status": {"phase": "Bound", "accessModes": ["ReadWriteMany"]}}
    unknown: Json = {"metadata": {"name": "data"}, "spec": {}}

    assert read_claim(wish) == Claim("data", ("ReadWriteOnce",), "standard", "Pending")
    assert read_claim(bound) == Claim("data", ("ReadWriteMany",), "standard", "Bound")
    assert read_claim(unknown) == Claim("data", (), "", "Pending")


def test_deployment_is_complete_when_all_pods_are_new_and_available() -> None:
    assert is_complete(DEPLOYMENT, deployment())


@pytest.mark.parametrize(
    "status",
    [{"observedGeneration": 1}, {"updatedReplicas": 1}, {"availableReplicas": 1}, {"replicas": 3}],
)
def test_deployment_is_not_complete_before(status: dict[str, int]) -> None:
    assert not is_complete(DEPLOYMENT, deployment(**status))


def test_workload_without_a_status_is_not_complete() -> None:
    assert not is_complete(DEPLOYMENT, {"metadata": {"generation": 1}, "spec": {"replicas": 0}})


def test_daemon_set_is_complete_when_each_of_its_nodes_is() -> None:
    assert is_complete(DAEMON_SET, daemon_set())
    assert not is_complete(DAEMON_SET, daemon_set(numberAvailable=2))
    assert not is_complete(DAEMON_SET, daemon_set(updatedNumberScheduled=2))


def test_state_tells_counts_and_what_the_controller_cannot_do() -> None:
    refused = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    well = {"type": "Available", "status": "True"}
    found = deployment(conditions=[refused, well])

    assert refusals_of(found) == ("FailedCreate: exceeded quota",)
    assert state_in_words(found) == (
        "generation 2, availableReplicas 2, observedGeneration 2, replicas 2, updatedReplicas 2; "
        "FailedCreate: exceeded quota"
    )
    assert state_in_words({"metadata": {"generation": 1}}) == "generation 1"


def test_ready_pod_hangs_on_nothing() -> None:
    found = read_pod(
        pod(
            {
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"imageID": "r.test/a@sha256:aa", "state": {"running": {}}}],
            }
        ),
        (),
    )

    assert (found.ready, found.hang, found.image_id) == (True, None, "r.test/a@sha256:aa")
    assert (found.name, found.node, found.image) == ("roller-1", "worker", "r.test/a:v2")


def test_waiting_pod_tells_the_reason_of_its_container() -> None:
    waiting = {"reason": "ErrImagePull", "message": "not found"}
    found = read_pod(pod({"containerStatuses": [{"state": {"waiting": waiting}}]}), ())

    assert (found.ready, found.waiting_reason) == (False, "ErrImagePull")
    assert found.hang is not None
    assert found.hang.code is HangCode.IMAGE_PULL


def test_pod_without_a_node_tells_what_the_scheduler_says() -> None:
    refused = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }
    placed = {"type": "PodScheduled", "status": "True"}

    found = read_pod(pod({"conditions": [placed, refused]}, node=None), ())

    assert found.node == ""
    assert found.hang is not None
    assert found.hang.evidence == "Unschedulable: 0/3 nodes are available"


def test_events_of_a_pod_tell_why_it_is_being_created_still() -> None:
    event = PodEvent("Warning", "FailedAttachVolume", 'Multi-Attach error for volume "pvc-1"')
    creating = {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}

    found = read_pod(pod(creating), [event])

    assert found.hang is not None
    assert found.hang.code is HangCode.VOLUME_MULTI_ATTACH


def test_pod_that_ends_is_not_said_to_hang() -> None:
    found = read_pod(pod({}, ending=True), ())

    assert (found.ending, found.hang) == (True, None)
