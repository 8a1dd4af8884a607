"""Rollouts that hang, serve nobody meanwhile, or bring another image than the pushed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import oci
from harness.findings import Code
from tests.kubernetes.sabotage.breaking import Mutation, mutated
from tests.kubernetes.sabotage.case import Case, red
from tests.kubernetes.sabotage.credential_cases import ALL_NODES

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harness.lab import Lab
    from harness.workload import Published

# CEL wants the values of a map to be of one type, or of none.
ROLLING = '{"type": dyn("RollingUpdate"), "rollingUpdate": dyn({"maxUnavailable": 0})}'
ALL_AT_ONCE = '{"type": dyn("RollingUpdate"), "rollingUpdate": dyn({"maxUnavailable": "100%"})}'


def _volume_of_one_pod(lab: Lab) -> AbstractContextManager[None]:
    """Start new pods before the old ones end, with a volume that one pod alone may hold."""
    return mutated(
        lab,
        Mutation("persistentvolumeclaims", "/spec/accessModes", '["ReadWriteOncePod"]'),
        Mutation("deployments", "/spec/strategy", ROLLING, group="apps"),
    )


def _all_pods_at_once(lab: Lab) -> AbstractContextManager[None]:
    return mutated(lab, Mutation("deployments", "/spec/strategy", ALL_AT_ONCE, group="apps"))


def _push_another_image(lab: Lab, published: Published) -> None:
    if published.host == lab.primary.host:
        lab.primary.api().push(oci.image(), published.repository, "v1")


CASES = (
    Case(
        name="volume-is-held-by-the-old-pod",
        broken=_volume_of_one_pod,
        turns_red=red(Code.ROLLOUT_HANGS, "deployment-with-a-volume-of-one-node-is-rolled-out"),
        subjects=frozenset({"rollout"}),
    ),
    Case(
        name="rollout-takes-all-pods-down",
        broken=_all_pods_at_once,
        turns_red=red(Code.SERVICE_LOST, "rollout-of-a-missing-image-stops"),
        subjects=frozenset({"rollout"}),
    ),
    Case(
        name="tag-is-overwritten",
        published=_push_another_image,
        turns_red=red(
            Code.WRONG_BYTES,
            "secret-on-the-pod-pulls",
            "changed-deployment-is-rolled-out",
            "changed-daemon-set-is-rolled-out-on-every-node",
        ),
        subjects=ALL_NODES,
        bystanders=("pod-without-a-secret-is-refused",),
    ),
)
