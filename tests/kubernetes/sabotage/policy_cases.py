"""Clusters whose pull policies or kubelets do not do what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code
from tests.kubernetes.sabotage.breaking import Mutation, kubelet_set, mutated, worker_2
from tests.kubernetes.sabotage.case import Case, red
from tests.kubernetes.sabotage.credential_cases import ALL_NODES, WORKER_2

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harness.lab import Lab


def _policy(name: str) -> Mutation:
    return Mutation("pods", "/spec/containers/0/imagePullPolicy", f'"{name}"')


def _cached_images_open_to_all(lab: Lab) -> AbstractContextManager[None]:
    gates = {"KubeletEnsureSecretPulledImages": False}
    return kubelet_set(lab, worker_2(lab), featureGates=gates)


def _parallel_pulls(lab: Lab) -> AbstractContextManager[None]:
    return kubelet_set(lab, worker_2(lab), serializeImagePulls=False, maxParallelImagePulls=3)


CASES = (
    Case(
        name="pods-always-pull",
        broken=lambda lab: mutated(lab, _policy("Always")),
        turns_red={
            **red(Code.WRONG_PATH, "if-not-present-does-not-ask-the-registry-again"),
            **red(Code.PULL_ACCEPTED, "never-runs-what-is-there-and-pulls-nothing"),
        },
        subjects=ALL_NODES,
    ),
    Case(
        name="pods-never-ask-again",
        broken=lambda lab: mutated(lab, _policy("IfNotPresent")),
        turns_red=red(Code.WRONG_PATH, "always-asks-the-registry-each-time"),
        subjects=ALL_NODES,
    ),
    Case(
        name="node-lets-everybody-run-cached-images",
        broken=_cached_images_open_to_all,
        turns_red=red(Code.PULL_ACCEPTED, "cached-image-does-not-mask-absent-credentials"),
        subjects=WORKER_2,
    ),
    Case(
        name="node-pulls-in-parallel",
        broken=_parallel_pulls,
        turns_red=red(Code.CONFIGURATION, "images-are-pulled-at-once-as-configured"),
        subjects=WORKER_2,
    ),
)
