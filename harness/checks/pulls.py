"""Judges pulls: who could, who could not, and for which reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.protocols import Pull
    from harness.diagnosis import FailureCode
    from harness.oci import Image


def all_succeeded(pulls: Sequence[Pull]) -> tuple[Finding, ...]:
    """Find nodes that could not pull. Raises Inconclusive when nobody tried."""
    return tuple(
        Finding(
            Code.PULL_FAILED,
            pull.node,
            f"{pull.reference}: {pull.failure.code}: {pull.failure.evidence}",
            pull.failure.remedy,
        )
        for pull in _tried(pulls)
        if pull.failure
    )


def all_refused(pulls: Sequence[Pull], *expected: FailureCode) -> tuple[Finding, ...]:
    """Find nodes that pulled what they must refuse, or refused it for another reason.

    Raises Inconclusive when nobody tried.
    """
    found = (_unrefused(pull, expected) for pull in _tried(pulls))
    return tuple(finding for finding in found if finding)


def is_image(pulls: Sequence[Pull], image: Image) -> tuple[Finding, ...]:
    """Find successful pulls after which the runtime named another image than the pushed one.

    containerd's CRI answers with the digest of the image's configuration, a pod's status with a
    repository and the digest of the manifest. Raises Inconclusive when nobody tried.
    """
    names = (image.config.digest, image.digest)
    return tuple(
        Finding(
            Code.WRONG_BYTES,
            pull.node,
            f"{pull.reference} gave image {pull.image_id}, pushed was {' or '.join(names)}",
            "look for a proxy or mirror that serves another image under this reference",
        )
        for pull in _tried(pulls)
        if pull.succeeded and (pull.image_id or "").rpartition("@")[2] not in names
    )


def _tried(pulls: Sequence[Pull]) -> Sequence[Pull]:
    if not pulls:
        raise Inconclusive("no pull was recorded")
    return pulls


def _unrefused(pull: Pull, expected: tuple[FailureCode, ...]) -> Finding | None:
    wanted = " or ".join(expected)
    if pull.failure is None:
        return Finding(
            Code.PULL_ACCEPTED,
            pull.node,
            f"{pull.reference} was pulled, it must be refused: {wanted}",
            "remove what makes the node accept it, such as skip_verify, a broad authority or "
            "an account that everybody has",
        )
    if pull.failure.code in expected:
        return None
    return Finding(
        Code.WRONG_REASON,
        pull.node,
        f"{pull.reference}: expected {wanted}, got {pull.failure.code}: {pull.failure.evidence}",
        pull.failure.remedy,
    )
