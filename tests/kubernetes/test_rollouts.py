"""Rollouts on a real cluster, and why they hang."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from harness import oci, workload
from harness.cluster.kubelet import pull_counts, pull_settings
from harness.cluster.kubelet_model import PullSettings
from harness.cluster.protocols import KubernetesAccess
from harness.cluster.pull_secrets import create_secret, delete_secret, pull_secret
from harness.cluster.rollout import RunningWorkload, claim_of, claimed_volume
from harness.cluster.rollout_model import ControllerKind, HangCode, Workload
from harness.diagnosis import FailureCode
from harness.findings import NotVerified
from harness.kubernetes_api import KubernetesAPI, KubernetesError
from harness.lab import ability, credentials_of
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cluster.rollout_model import Rollout
    from harness.kubernetes_api import Json
    from harness.lab import Lab
    from harness.workload import Published

SECONDS = 120
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"


@pytest.fixture(scope="module")
def access(lab: Lab) -> KubernetesAccess:
    return ability(lab.cluster, KubernetesAccess)


@pytest.fixture(scope="module")
def secret(lab: Lab, access: KubernetesAccess) -> Iterator[str]:
    name = f"rollouts-{secrets.token_hex(4)}"
    content = pull_secret({lab.primary.host: credentials_of(lab.primary)})
    create_secret(access.api, access.namespace, name, content)
    yield name
    delete_secret(access.api, access.namespace, name)


def new_image(lab: Lab) -> Published:
    repository = workload.unique_repository("rollouts")
    return workload.publish(lab.primary, oci.image(layer_bytes=1024), repository=repository)


def order(
    access: KubernetesAccess,
    kind: ControllerKind,
    reference: str,
    secret: str,
    *,
    replicas: int = 1,
    claim: str = "",
) -> Workload:
    return Workload(
        kind=kind,
        namespace=access.namespace,
        name=f"rolled-{secrets.token_hex(4)}",
        image=reference,
        pull_secrets=(secret,),
        replicas=replicas,
        claim=claim,
        strategy="Recreate" if claim else "RollingUpdate",
    )


def hung(running: RunningWorkload, code: HangCode) -> Rollout:
    """Return the rollout once the cluster has said of a pod, or of all, why it hangs."""

    def codes(rollout: Rollout) -> set[HangCode]:
        return {hang.code for hang in (*rollout.hangs, *(pod.hang for pod in rollout.pods)) if hang}

    return wait_until(
        lambda: running.wait(timeout_seconds=1),
        ready=lambda rollout: rollout.complete or code in codes(rollout),
        timeout_seconds=SECONDS,
        what=f"the cluster to say {code} of {running.workload.name}",
    )


@pytest.mark.parametrize("kind", ControllerKind)
def test_changed_image_is_everywhere_and_nothing_is_left(
    lab: Lab, access: KubernetesAccess, secret: str, kind: ControllerKind
) -> None:
    old, new = new_image(lab), new_image(lab)
    wanted = order(access, kind, old.reference, secret, replicas=2)
    with RunningWorkload(access.api, wanted) as running:
        first = running.wait(timeout_seconds=SECONDS)
        running.change_image(new.reference)
        second = running.wait(timeout_seconds=SECONDS)

    assert first.complete
    assert second.complete
    assert {pod.image for pod in second.pods} == {new.reference}
    assert all(pod.ready and pod.image_id.endswith(new.image.digest) for pod in second.pods)
    everywhere = {access.node_name(node) for node in lab.nodes}
    if kind is ControllerKind.DAEMON_SET:
        assert {pod.node for pod in second.pods} == everywhere
    assert running.pods() == ()


def test_refused_image_names_its_cause_while_old_pods_stay(
    lab: Lab, access: KubernetesAccess, secret: str
) -> None:
    old = new_image(lab)
    wanted = order(access, ControllerKind.DEPLOYMENT, old.reference, secret, replicas=2)
    with RunningWorkload(access.api, wanted) as running:
        running.wait(timeout_seconds=SECONDS)
        running.change_image(old.reference.replace(":v1", ":missing"))
        rollout = running.wait_for_refusal(FailureCode.NOT_FOUND, timeout_seconds=SECONDS)

    assert not rollout.complete
    assert sum(pod.ready and pod.image == old.reference for pod in rollout.pods) == 2
    (refused,) = [pod for pod in rollout.pods if pod.image != old.reference]
    assert refused.hang is not None
    assert refused.hang.pull_failure is FailureCode.NOT_FOUND


def test_volume_goes_from_one_pod_to_the_next(
    lab: Lab, access: KubernetesAccess, secret: str
) -> None:
    with claimed_volume(access.api, access.namespace, f"data-{secrets.token_hex(4)}") as claim:
        wanted = order(
            *(access, ControllerKind.DEPLOYMENT, new_image(lab).reference, secret),
            claim=claim.name,
        )
        with RunningWorkload(access.api, wanted) as running:
            first = running.wait(timeout_seconds=SECONDS)
            bound = claim_of(access.api, access.namespace, claim.name)
            running.change_image(new_image(lab).reference)
            second = running.wait(timeout_seconds=SECONDS)

    assert (claim.phase, bound.phase) == ("Pending", "Bound")
    assert claim.storage_class
    assert bound.access_modes == ("ReadWriteOnce",)
    assert (first.complete, second.complete) == (True, True)


@contextmanager
def foreign_volume(access: KubernetesAccess) -> Iterator[str]:
    """Make a claim of a volume whose storage driver does not exist, so that we play it."""
    api, name = access.api, f"foreign-{secrets.token_hex(4)}"
    claims = f"/api/v1/namespaces/{access.namespace}/persistentvolumeclaims"
    size: Json = {"storage": "1Mi"}
    volume: Json = {
        "capacity": size,
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "nowhere.pullproof.invalid", "volumeHandle": name},
        "claimRef": {"namespace": access.namespace, "name": name},
        "persistentVolumeReclaimPolicy": "Retain",
    }
    claim: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": size},
        "storageClassName": "",
        "volumeName": name,
    }
    api.create("/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": volume})
    try:
        api.create(claims, {"metadata": {"name": name}, "spec": claim})
        yield name
    finally:
        api.delete(f"{claims}/{name}")
        api.delete(f"/api/v1/persistentvolumes/{name}")


def attachments(api: KubernetesAPI, volume: str) -> list[str]:
    return [
        str(found["metadata"]["name"])
        for found in api.list(ATTACHMENTS)
        if found["spec"]["source"].get("persistentVolumeName") == volume
    ]


def test_volume_attached_to_another_node_is_called_multi_attach(
    lab: Lab, access: KubernetesAccess, secret: str
) -> None:
    with foreign_volume(access) as volume:
        wanted = order(
            *(access, ControllerKind.DAEMON_SET, new_image(lab).reference, secret), claim=volume
        )
        with RunningWorkload(access.api, wanted) as running:
            (attached, *_) = wait_until(
                lambda: attachments(access.api, volume),
                timeout_seconds=60,
                what="the volume to be attached to a first node",
            )
            access.api.merge(f"{ATTACHMENTS}/{attached}/status", {"status": {"attached": True}})
            rollout = hung(running, HangCode.VOLUME_MULTI_ATTACH)
        for left in attachments(access.api, volume):
            access.api.delete(f"{ATTACHMENTS}/{left}")

    assert not rollout.complete
    hanging = [pod.hang for pod in rollout.pods if pod.hang]
    multiple = [hang for hang in hanging if hang.code is HangCode.VOLUME_MULTI_ATTACH]
    assert multiple
    assert "Multi-Attach error for volume" in multiple[0].evidence


def test_missing_claim_is_called_unbound(lab: Lab, access: KubernetesAccess, secret: str) -> None:
    reference = new_image(lab).reference
    wanted = order(access, ControllerKind.DEPLOYMENT, reference, secret, claim="no-such-claim")
    with RunningWorkload(access.api, wanted) as running:
        rollout = hung(running, HangCode.VOLUME_UNBOUND)

    (pod,) = rollout.pods
    assert pod.hang is not None
    assert pod.hang.code is HangCode.VOLUME_UNBOUND
    assert pod.node == ""


def refuses_pods(access: KubernetesAccess, quota: str) -> bool:
    """Ask for a pod in the second namespace, without having it made, whether a quota refuses it."""
    probe: Json = {
        "metadata": {"name": "probe"},
        "spec": {"containers": [{"name": "probe", "image": "r.invalid/a:1"}]},
    }
    try:
        access.api.create(f"/api/v1/namespaces/{access.second_namespace}/pods?dryRun=All", probe)
    except KubernetesError as error:
        return f"exceeded quota: {quota}" in error.problem
    return False


@pytest.mark.parametrize("kind", ControllerKind)
def test_workload_that_may_make_no_pods_tells_why(
    lab: Lab, access: KubernetesAccess, secret: str, kind: ControllerKind
) -> None:
    quotas = f"/api/v1/namespaces/{access.second_namespace}/resourcequotas"
    name = f"none-{secrets.token_hex(4)}"
    access.api.create(quotas, {"metadata": {"name": name}, "spec": {"hard": {"pods": "0"}}})
    try:
        wait_until(
            lambda: refuses_pods(access, name),
            timeout_seconds=30,
            what="the quota to be in force",
        )
        wanted = order(access, kind, new_image(lab).reference, secret)
        there = Workload(kind, access.second_namespace, wanted.name, wanted.image)
        with RunningWorkload(access.api, there) as running:
            rollout = hung(running, HangCode.POD_REFUSED)
    finally:
        access.api.delete(f"{quotas}/{name}")

    assert not rollout.complete
    assert [hang.code for hang in rollout.hangs] == [HangCode.POD_REFUSED]
    assert "exceeded quota" in rollout.hangs[0].evidence


def test_kubelet_counts_what_it_pulls(lab: Lab, access: KubernetesAccess, secret: str) -> None:
    names = [access.node_name(node) for node in lab.nodes]
    before = [pull_counts(access.api, name) for name in names]
    wanted = order(access, ControllerKind.DAEMON_SET, new_image(lab).reference, secret)
    with RunningWorkload(access.api, wanted) as running:
        running.wait(timeout_seconds=SECONDS)
    after = [pull_counts(access.api, name) for name in names]

    for earlier, later in zip(before, after, strict=True):
        assert later.total > earlier.total
        assert later.required > earlier.required
        assert later.seconds > earlier.seconds
        assert "0-10MB" in dict(later.pulled)


def test_kubelet_tells_how_many_images_it_pulls_at_once(lab: Lab, access: KubernetesAccess) -> None:
    serialised = lab.scenario.cluster.kubelet.serialize_image_pulls
    expected = PullSettings(1 if serialised else None)

    assert [pull_settings(access.api, access.node_name(node)) for node in lab.nodes] == [
        expected for _ in lab.nodes
    ]


def powerless(access: KubernetesAccess, folder: Path) -> KubernetesAPI:
    """Connect as a service account that was granted nothing."""
    accounts = f"/api/v1/namespaces/{access.namespace}/serviceaccounts"
    asked: Json = {"spec": {"expirationSeconds": 600}}
    token = access.api.create(f"{accounts}/default/token", asked)["status"]["token"]
    kubeconfig = YAML(typ="safe").load(access.api.kubeconfig)
    for user in kubeconfig["users"]:
        user["user"] = {"token": token}
    file = folder / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps(kubeconfig))
    return KubernetesAPI(file)


def test_kubelet_that_may_not_be_asked_is_not_verified(
    lab: Lab, access: KubernetesAccess, tmp_path: Path
) -> None:
    name = access.node_name(lab.nodes[0])

    with powerless(access, tmp_path) as api:
        with pytest.raises(NotVerified, match="may not be asked"):
            pull_counts(api, name)
        with pytest.raises(NotVerified, match="may not be asked"):
            pull_settings(api, name)
