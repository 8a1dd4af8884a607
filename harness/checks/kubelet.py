"""Judges what kubelets do against what they are told and what they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.kubelet_model import PullCounts, PullSettings
    from harness.cluster.protocols import PodPull
    from harness.scenario.model import KubeletSpec

# A pull that waits for another one waits for a good part of it; one that does not, for some
# milliseconds at most.
QUEUED_SHARE = 0.3


def counted(
    node: str, before: PullCounts, after: PullCounts, pulls: Sequence[PodPull]
) -> tuple[Finding, ...]:
    """Find a kubelet that counted fewer pulls than its own events told of.

    It may have counted more, for other pods and for events that were lost. Raises Inconclusive
    where its events told of none, or it has started anew.
    """
    told = sum(pull.node == node and pull.pulling_seconds is not None for pull in pulls)
    if not told:
        raise Inconclusive(f"no event of {node} told of a pull that its metrics could show")
    if after.total < before.total or after.required < before.required:
        raise Inconclusive(f"the kubelet of {node} counts from zero again: it has started anew")
    rises = {
        "kubelet_image_pull_duration_seconds_count": after.total - before.total,
        "kubelet_image_manager_ensure_image_requests_total{pull_required='true'}": (
            after.required - before.required
        ),
    }
    sizes = ", ".join(f"{size}: {count}" for size, count in after.pulled) or "none"
    return tuple(
        Finding(
            Code.METRICS,
            node,
            f"its events told of {told} pulls, and {name} rose by {rise}; all by size: {sizes}",
            "do not alert on this metric before you know why the kubelet does not count",
        )
        for name, rise in rises.items()
        if rise < told
    )


def set_up_as_asked(node: str, settings: PullSettings, asked: KubeletSpec) -> tuple[Finding, ...]:
    """Find a kubelet that is not set up to serialise pulls as the scenario wants it."""
    if (settings.at_once == 1) is asked.serialize_image_pulls:
        return ()
    wanted = "true" if asked.serialize_image_pulls else "false"
    at_once = settings.at_once or "any number of"
    evidence = (
        f"it pulls {at_once} images at once; the scenario asks for serializeImagePulls {wanted}"
    )
    remedy = "compare the node's kubelet configuration and flags with those of the others"
    return (Finding(Code.CONFIGURATION, node, evidence, remedy),)


def pulled_as_configured(
    node: str, settings: PullSettings, pulls: Sequence[PodPull]
) -> tuple[Finding, ...]:
    """Find a kubelet that pulls one image after the other though it is told to pull at once.

    Or the reverse. `pulls` are those of different images, ordered at the same time. Images
    were pulled at once when their pulling took longer in sum than all of it took; one waited
    for another when its waiting was a good part of a pull. Nothing is compared with a limit in
    seconds. Raises Inconclusive where neither is seen, because the pulls did not meet.
    """
    own = [pull for pull in pulls if pull.node == node]
    pulling = [pull.pulling_seconds for pull in own if pull.pulling_seconds is not None]
    queueing = [pull.queueing_seconds for pull in own if pull.queueing_seconds is not None]
    if len(own) < 2 or len(pulling) < len(own) or len(queueing) < len(own):  # noqa: PLR2004
        raise Inconclusive(f"the events of {node} do not tell how long each of its pulls took")
    whole = max(pull.ended for pull in own) - min(pull.started for pull in own)
    at_once = sum(pulling) > whole
    in_turn = max(queueing) > QUEUED_SHARE * min(pulling)
    told = (
        f"{len(own)} pulls ordered together took {sum(pulling):.2f} s in sum and {whole:.2f} s "
        f"in all, the longest wait was {max(queueing):.2f} s"
    )
    if not at_once and not in_turn:
        raise Inconclusive(f"the pulls of {node} did not meet: {told}")
    if settings.at_once == 1:
        wrong, configured = at_once, "one image at a time"
    else:
        wrong = not at_once
        configured = f"up to {settings.at_once or 'any number of'} images at once"
    if not wrong:
        return ()
    remedy = "compare the kubelet's serializeImagePulls and maxParallelImagePulls with its log"
    evidence = f"it is set up to pull {configured}, but {told}"
    return (Finding(Code.CONFIGURATION, node, evidence, remedy),)
