"""Pods, pull secrets and namespaces on a real cluster: what the suites rest upon."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

import pytest

from harness import checks, oci, workload
from harness.cluster.namespaces import create_namespaces, own_namespaces, remove_namespaces
from harness.cluster.pods import PodOrder, pull_as_pod
from harness.cluster.protocols import KubernetesAccess
from harness.cluster.pull_secrets import (
    PULL_SECRET_KEY,
    SecretContent,
    create_secret,
    delete_secret,
    pull_secret,
    replace_secret,
)
from harness.kubernetes_api import KubernetesError
from harness.lab import ability, credentials_of
from harness.scenario import kinds
from harness.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.kubernetes_api import KubernetesAPI
    from harness.lab import Lab
    from harness.workload import Published

CANARY = "canary-5e1d"


@pytest.fixture
def cluster(lab: Lab) -> KubernetesAccess:
    return ability(lab.cluster, KubernetesAccess)


@pytest.fixture
def image(lab: Lab) -> Published:
    repository = workload.unique_repository("pods")
    return workload.publish(lab.primary, oci.image(), repository=repository)


@pytest.fixture
def secret(lab: Lab, cluster: KubernetesAccess) -> Iterator[str]:
    name = f"secret-{secrets.token_hex(4)}"
    content = pull_secret({lab.primary.host: credentials_of(lab.primary)})
    create_secret(cluster.api, cluster.namespace, name, content)
    yield name
    delete_secret(cluster.api, cluster.namespace, name)


def order(
    lab: Lab,
    reference: str,
    *pull_secrets: str,
    node_name: str = "",
    secrets_exist: bool = True,
    with_status: bool = True,
) -> PodOrder:
    cluster = ability(lab.cluster, KubernetesAccess)
    node = lab.nodes[-1]
    return PodOrder(
        reference=reference,
        node=node.name,
        node_name=node_name or cluster.node_name(node),
        namespace=cluster.namespace,
        pull_secrets=pull_secrets,
        secrets_exist=secrets_exist,
        with_status=with_status,
    )


def test_pod_pulls_and_is_gone_after_a_handful_of_requests(
    lab: Lab, cluster: KubernetesAccess
) -> None:
    """Nothing is pulled again: there is no secret that may reach the kubelet too late."""
    repository = workload.unique_repository("pods")
    image = workload.publish(lab.find(kinds.PLAIN_HTTP), oci.image(), repository=repository)

    before = cluster.api.calls
    pull = pull_as_pod(cluster.api, order(lab, image.reference))
    calls = cluster.api.calls - before

    assert pull.failure is None
    assert checks.is_image([pull], image.image) == ()
    assert (pull.waiting_reason, pull.already_present) == ("", False)
    assert pull.pulling_seconds is not None
    assert pull.queueing_seconds is not None
    # What the kubelet tells later, such as Started, is not waited for.
    assert {"Pulling", "Pulled"} <= {event.reason for event in pull.events}
    assert calls <= 7
    assert cluster.api.list(f"/api/v1/namespaces/{cluster.namespace}/pods") == ()


def test_second_pod_of_a_secret_finds_the_image_there(
    lab: Lab, cluster: KubernetesAccess, image: Published, secret: str
) -> None:
    asked = order(lab, image.reference, secret)

    first, second = (pull_as_pod(cluster.api, asked) for _ in range(2))

    assert (first.already_present, second.already_present) == (False, True)
    assert second.pulling_seconds is None
    assert second.image_id == first.image_id


def test_refusal_has_its_reason_and_its_events(
    lab: Lab, cluster: KubernetesAccess, image: Published
) -> None:
    pull = pull_as_pod(cluster.api, order(lab, image.reference))

    assert pull.failure is not None
    assert pull.failure.code == "authentication"
    assert pull.waiting_reason in ("ErrImagePull", "ImagePullBackOff")
    assert checks.told_by_events([pull], pull.failure.code) == ()


def test_events_alone_tell_what_the_status_tells_later(
    lab: Lab, cluster: KubernetesAccess, image: Published, secret: str
) -> None:
    pulled = pull_as_pod(cluster.api, order(lab, image.reference, secret, with_status=False))
    refused = pull_as_pod(cluster.api, order(lab, image.reference, with_status=False))

    assert pulled.failure is None
    assert refused.failure is not None
    assert refused.failure.code == "authentication"
    assert checks.told_by_events([refused], refused.failure.code) == ()
    assert cluster.api.list(f"/api/v1/namespaces/{cluster.namespace}/pods") == ()


@pytest.mark.parametrize("with_status", [True, False])
def test_missing_secret_is_told_by_an_event(
    lab: Lab, cluster: KubernetesAccess, image: Published, *, with_status: bool
) -> None:
    asked = order(
        lab, image.reference, "no-such-secret", secrets_exist=False, with_status=with_status
    )

    assert (
        checks.has_event([pull_as_pod(cluster.api, asked)], "FailedToRetrieveImagePullSecret") == ()
    )


@pytest.mark.parametrize("with_status", [True, False])
def test_node_that_does_not_exist_neither_pulls_nor_refuses(
    lab: Lab, cluster: KubernetesAccess, image: Published, *, with_status: bool
) -> None:
    asked = order(lab, image.reference, node_name="nowhere", with_status=with_status)

    pull = pull_as_pod(cluster.api, asked, timeout_seconds=2)

    assert pull.failure is not None
    assert pull.failure.code == "timeout"
    assert "no status yet; no event" in pull.failure.evidence
    assert cluster.api.list(f"/api/v1/namespaces/{cluster.namespace}/pods") == ()


def test_pod_satisfies_the_strictest_level_of_pod_security(
    lab: Lab, cluster: KubernetesAccess
) -> None:
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    with own_namespaces(cluster.api, f"strict-{secrets.token_hex(3)}", strict) as own:
        asked = PodOrder("r.invalid/a:1", "n", cluster.node_name(lab.nodes[-1]), own.first)
        pull = pull_as_pod(cluster.api, asked)

    assert pull.failure is not None
    assert pull.failure.code == "name-resolution"


@pytest.mark.parametrize("content", [CANARY, base64.b64encode(CANARY.encode()).decode(), "[]"])
def test_refused_secret_shows_nothing_of_its_content(
    cluster: KubernetesAccess, content: str
) -> None:
    malformed = SecretContent({PULL_SECRET_KEY: Secret(content)})

    with pytest.raises(KubernetesError) as caught:
        create_secret(cluster.api, cluster.namespace, "malformed", malformed)

    assert caught.value.status == 422
    assert content not in f"{caught.value} {caught.value.__context__!r} {malformed}"


def test_immutable_secret_is_not_replaced(lab: Lab, cluster: KubernetesAccess) -> None:
    name = f"secret-{secrets.token_hex(4)}"
    content = pull_secret({"r.test": credentials_of(lab.primary)}, immutable=True)
    create_secret(cluster.api, cluster.namespace, name, content)
    try:
        with pytest.raises(KubernetesError) as caught:
            replace_secret(cluster.api, cluster.namespace, name, pull_secret({}))
        assert caught.value.status == 422
    finally:
        delete_secret(cluster.api, cluster.namespace, name)


def test_namespaces_of_a_run_are_removed_with_all_that_was_left(cluster: KubernetesAccess) -> None:
    run_id = f"left-{secrets.token_hex(3)}"
    left = create_namespaces(cluster.api, run_id, {})
    with own_namespaces(cluster.api, run_id, {"team": "a"}) as own:
        made = cluster.api.get(f"/api/v1/namespaces/{own.first}")
        assert (own, made["metadata"]["labels"]["pullproof.run"]) == (left, run_id)
        assert made["metadata"]["labels"]["team"] == "a"

    assert _of_run(cluster.api, run_id) == ()
    remove_namespaces(cluster.api, run_id)


def _of_run(api: KubernetesAPI, run_id: str) -> tuple[object, ...]:
    return api.list("/api/v1/namespaces", labelSelector=f"pullproof.run={run_id}")
