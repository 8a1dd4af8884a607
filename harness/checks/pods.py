"""Judges pods' pulls: what the kubelet did for them, and what it said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cluster.pod_events import diagnose_events
from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.cluster.protocols import PodPull
    from harness.diagnosis import Diagnosis, FailureCode


def already_present(pulls: Sequence[PodPull]) -> tuple[Finding, ...]:
    """Find nodes whose kubelet does not say that it took the image from the node's own store.

    Raises Inconclusive when nobody tried.
    """
    return tuple(
        Finding(
            Code.WRONG_PATH,
            pull.node,
            f"{pull.reference} was there, but the kubelet says of it: {_said(pull)}",
            "look for image garbage collection on the node and for admission that changes "
            "imagePullPolicy, such as AlwaysPullImages",
        )
        for pull in _tried(pulls)
        if not pull.already_present
    )


def waited_with(pulls: Sequence[PodPull], *reasons: str) -> tuple[Finding, ...]:
    """Find refused pods that show another reason to wait. Raises Inconclusive without pods."""
    wanted = " or ".join(reasons)
    return tuple(
        Finding(
            Code.WRONG_REASON,
            pull.node,
            f"{pull.reference}: the pod waits for {pull.waiting_reason or 'nothing'}, "
            f"expected {wanted}",
        )
        for pull in _tried(pulls)
        if pull.waiting_reason not in reasons
    )


def told_by_events(pulls: Sequence[PodPull], expected: FailureCode) -> tuple[Finding, ...]:
    """Find refused pods whose events alone stand for another failure.

    Raises Inconclusive without pods, and for a pod without an event that tells of a failure.
    """
    found: list[Finding] = []
    for pull in _tried(pulls):
        if pull.succeeded:
            continue  # whether it had to be refused is for `all_refused` to judge
        told = diagnose_events(pull.events)
        if told is None:
            raise Inconclusive(f"{pull.node}: no event tells why {pull.reference} was refused")
        if told.code is not expected:
            evidence = f"{pull.reference}: its events stand for {told.code}, expected {expected}"
            found.append(
                Finding(Code.WRONG_REASON, pull.node, f"{evidence}: {told.evidence}", told.remedy)
            )
    return tuple(found)


def has_event(pulls: Sequence[PodPull], reason: str) -> tuple[Finding, ...]:
    """Find pods that have no event of a reason. Raises Inconclusive without pods."""
    return tuple(
        Finding(
            Code.WRONG_REASON,
            pull.node,
            f"{pull.reference}: the pod has no event {reason}; the kubelet says: {_said(pull)}",
        )
        for pull in _tried(pulls)
        if reason not in {event.reason for event in pull.events}
    )


def answered(host: str, answer: Diagnosis | None, expected: FailureCode) -> tuple[Finding, ...]:
    """Find a registry whose own answer stands for another failure; None is no refusal."""
    if answer is not None and answer.code is expected:
        return ()
    told = f"{answer.code}: {answer.evidence}" if answer else "no refusal"
    return (Finding(Code.WRONG_REASON, host, f"its answer stands for {told}, expected {expected}"),)


def secret_refused(subject: str, status: int) -> tuple[Finding, ...]:
    """Find a secret that the API took although it must not; `status` is 0 where it took it."""
    if status in (400, 422):
        return ()
    told = f"it answered {status}" if status else "it took it"
    return (
        Finding(
            Code.CONFIGURATION,
            "the Kubernetes API",
            f"it must refuse {subject}, but {told}",
            "look for admission webhooks that change or validate secrets",
        ),
    )


def in_case(case: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Say in which of several cases something was found."""
    return tuple(replace(finding, evidence=f"{case}: {finding.evidence}") for finding in findings)


def _tried(pulls: Sequence[PodPull]) -> Sequence[PodPull]:
    if not pulls:
        raise Inconclusive("no pod was recorded")
    return pulls


def _said(pull: PodPull) -> str:
    return "; ".join(event.message for event in pull.events) or "nothing"
