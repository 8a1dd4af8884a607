"""Judges rollouts: whether a new image is everywhere, and what is served meanwhile.

`names` are the nodes of the cluster: the name that Kubernetes knows a node by to the one that
reports use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cluster.rollout_model import ControllerKind
from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cluster.rollout_model import Claim, RolledPod, Rollout, Workload
    from harness.diagnosis import FailureCode
    from harness.oci import Image

_ONE_NODE_AT_A_TIME = frozenset(("ReadWriteOnce", "ReadWriteOncePod"))
_MANY_NODES = frozenset(("ReadWriteMany", "ReadOnlyMany"))


def rolled_out(rollout: Rollout, image: Image, names: Mapping[str, str]) -> tuple[Finding, ...]:
    """Find what keeps a rollout from its end, or what it left of earlier images.

    Raises Inconclusive when it claims to be complete without any pod.
    """
    if not rollout.complete:
        return _hanging(rollout, names)
    if not rollout.pods:
        raise Inconclusive(f"{rollout.workload} has no pods: {rollout.state}")
    return tuple(_leftover(rollout, names)) + tuple(
        Finding(
            Code.WRONG_BYTES,
            _subject(pod, rollout, names),
            f"{pod.name} runs {pod.image_id or 'nothing'}, pushed was {image.digest}",
            "look for a proxy or mirror that serves another image under this reference",
        )
        for pod in _new(rollout)
        if not pod.image_id.endswith(image.digest)
    )


def on_every_node(rollout: Rollout, names: Mapping[str, str]) -> tuple[Finding, ...]:
    """Find nodes on which a DaemonSet has no pod of its newest image at all.

    Raises Inconclusive when the cluster is said to have no nodes.
    """
    if not names:
        raise Inconclusive("no node of the cluster is known")
    covered = {pod.node for pod in _new(rollout)}
    return tuple(
        Finding(
            Code.ROLLOUT_HANGS,
            names[node],
            f"{rollout.workload} has no pod with {rollout.image} on it; {rollout.state}",
            "look whether the node is ready, and at the DaemonSet's events",
        )
        for node in sorted(names)
        if node not in covered
    )


def stopped(
    rollout: Rollout, old_image: str, names: Mapping[str, str], *, serving: int, cause: FailureCode
) -> tuple[Finding, ...]:
    """Find what is wrong with a rollout to an image that must be refused.

    It must be refused for one `cause`, and at least `serving` pods of the old image must stay
    ready. Raises Inconclusive when no pod has tried the new image yet.
    """
    if accepted := [pod for pod in _new(rollout) if pod.ready]:
        evidence = f"runs {rollout.image}, which must be refused: {cause}"
        remedy = "look for what served an image that nobody pushed"
        return tuple(
            Finding(
                Code.PULL_ACCEPTED,
                _subject(pod, rollout, names),
                f"{pod.name} {evidence}",
                remedy,
            )
            for pod in accepted
        )
    refusals = [pod for pod in _new(rollout) if pod.hang and pod.hang.pull_failure]
    if not refusals:
        raise Inconclusive(f"no pod of {rollout.workload} was refused its image: {rollout.state}")
    return (
        *(
            Finding(
                Code.WRONG_REASON,
                _subject(pod, rollout, names),
                f"{rollout.image}: expected {cause}, got {pod.hang.evidence}",
                pod.hang.remedy,
            )
            for pod in refusals
            if pod.hang and pod.hang.pull_failure is not cause
        ),
        *_lost_service(rollout, old_image, serving),
    )


def fits_volume(workload: Workload, claim: Claim) -> tuple[Finding, ...]:
    """Find a workload whose rollout must hang because two nodes cannot mount its volume.

    A new pod is started before the old one has ended, or several run at once, and what one
    node has mounted another cannot attach.
    """
    modes = frozenset(claim.access_modes)
    if modes & _MANY_NODES or not modes & _ONE_NODE_AT_A_TIME:
        return ()
    together = []
    if workload.kind is ControllerKind.DAEMON_SET:
        together.append("it runs on many nodes")
    elif workload.strategy != "Recreate":
        together.append(f"its strategy is {workload.strategy}")
    if workload.replicas > 1:
        together.append(f"it has {workload.replicas} replicas")
    if not together:
        return ()
    return (
        Finding(
            Code.CONFIGURATION,
            workload.name,
            f"its volume {claim.name} is {', '.join(claim.access_modes)}, but "
            f"{' and '.join(together)}: a rollout may hang with a Multi-Attach error",
            "use one replica and the strategy Recreate, or a volume that is ReadWriteMany",
        ),
    )


def _hanging(rollout: Rollout, names: Mapping[str, str]) -> tuple[Finding, ...]:
    """Name each pod that hangs; the workload itself where no pod is to blame."""
    found = tuple(
        Finding(
            Code.ROLLOUT_HANGS,
            _subject(pod, rollout, names),
            f"{pod.name} with {pod.image}: {pod.hang.code}: {pod.hang.evidence}",
            pod.hang.remedy,
        )
        for pod in rollout.pods
        if pod.hang
    )
    if found:
        return found
    hangs = "; ".join(f"{hang.code}: {hang.evidence}" for hang in rollout.hangs)
    evidence = f"not complete after {rollout.seconds:.0f} s: {'; '.join((rollout.state, hangs))}"
    remedy = rollout.hangs[0].remedy if rollout.hangs else "look at the controller's events"
    return (Finding(Code.ROLLOUT_HANGS, rollout.workload, evidence, remedy),)


def _leftover(rollout: Rollout, names: Mapping[str, str]) -> Sequence[Finding]:
    return [
        Finding(
            Code.ROLLOUT_LEFTOVER,
            _subject(pod, rollout, names),
            f"{pod.name} with {pod.image} is left although {rollout.workload} says that it is "
            f"complete with {rollout.image}",
            "look at the kubelet's log on this node: it does not end the pod",
        )
        for pod in rollout.pods
        if pod.image != rollout.image or pod.ending
    ]


def _lost_service(rollout: Rollout, old_image: str, serving: int) -> Sequence[Finding]:
    # One that is ending still calls itself ready, but no service leads to it any more.
    ready = sum(pod.image == old_image and pod.ready and not pod.ending for pod in rollout.pods)
    if ready >= serving:
        return ()
    evidence = (
        f"{ready} of {serving} pods with {old_image} still serve while {rollout.image} is refused; "
        f"{rollout.state}"
    )
    remedy = "let the strategy be RollingUpdate with a maxUnavailable of 0"
    return (Finding(Code.SERVICE_LOST, rollout.workload, evidence, remedy),)


def _new(rollout: Rollout) -> Sequence[RolledPod]:
    return [pod for pod in rollout.pods if pod.image == rollout.image and not pod.ending]


def _subject(pod: RolledPod, rollout: Rollout, names: Mapping[str, str]) -> str:
    """Return the node on which a pod is, the workload while it has none."""
    return names.get(pod.node, pod.node) or rollout.workload
