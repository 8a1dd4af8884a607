"""A registry inside the cluster that keeps its images in its pod, or whose pod cannot start."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.kubernetes_api import KubernetesAPI
from harness.registry.in_cluster import NAMESPACE, InClusterRegistry
from tests.kubernetes.sabotage.case import Case, red

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.lab import Lab

DELETION = "registry-outlives-the-deletion-of-its-pod"
DRAIN = "registry-outlives-the-drain-of-its-node"
INSIDE = frozenset({"inside"})


def _inside(lab: Lab) -> InClusterRegistry:
    (registry,) = (each for each in lab.registries if isinstance(each, InClusterRegistry))
    return registry


@contextmanager
def _images_in_the_pod(lab: Lab) -> Iterator[None]:
    """Have the registry store images in a directory that ends with its pod."""
    registry = _inside(lab)
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{registry.release}"
    with KubernetesAPI(registry.kubeconfig) as api:
        volumes = api.get(path)["spec"]["template"]["spec"]["volumes"]
        broken = [
            {"name": "storage", "emptyDir": {}} if each["name"] == "storage" else each
            for each in volumes
        ]
        try:
            registry.change_pods(api, {"spec": {"volumes": broken}})
            yield
        finally:
            registry.change_pods(api, {"spec": {"volumes": volumes}})


@contextmanager
def _without_its_key(lab: Lab) -> Iterator[None]:
    """Remove the secret with the registry's key, which only a pod that starts misses."""
    registry = _inside(lab)
    secrets = f"/api/v1/namespaces/{NAMESPACE}/secrets"
    with KubernetesAPI(registry.kubeconfig) as api:
        found = api.get(f"{secrets}/{registry.release}-tls")
        kept = {"metadata": {"name": found["metadata"]["name"]}}
        try:
            api.delete(f"{secrets}/{registry.release}-tls")
            yield
        finally:
            api.create(secrets, {**kept, "type": found["type"], "data": found["data"]})
            registry.restart()


CASES = (
    Case(
        name="images-of-a-registry-end-with-its-pod",
        suite="ha",
        broken=_images_in_the_pod,
        turns_red=red(Code.LOST_CONTENT, DRAIN),
        subjects=INSIDE,
        bystanders=(),
    ),
    Case(
        name="pod-of-a-registry-does-not-start-again",
        suite="ha",
        broken=_without_its_key,
        turns_red=red(Code.SERVICE_LOST, DELETION),
        subjects=INSIDE,
        bystanders=(),
    ),
)
