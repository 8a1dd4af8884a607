"""Judges copies of registries: equal to their source, and soon enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding, Inconclusive
from harness.history import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.command import Completed
    from harness.history import Operation
    from harness.registry.inventory_model import Inventory

REPLICATE = "replicate"

_MISSED = (
    "look into the log of whatever replicates: does it hear of this kind of change, and does it "
    "try again after it could not reach the copy?"
)


def same_inventory(source: Inventory, copy: Inventory) -> tuple[Finding, ...]:
    """Find what a copy lacks, keeps or holds otherwise than its source.

    Manifests name all else by digest: a copy with the same tags and referrers that misses
    nothing and holds the bytes that digests promise is equal.
    """
    return (*_tags(source, copy), *_referrers(source, copy), *_content(copy))


def is_deleted(copy: str, digest: str, *, held: bool) -> tuple[Finding, ...]:
    """Find a manifest that the source has deleted and that its copy still holds."""
    if not held:
        return ()
    return (Finding(Code.NOT_DELETED, copy, f"it still serves {digest} by digest", _MISSED),)


def verified(copy: str, program: str, done: Completed) -> tuple[Finding, ...]:
    """Find a signature that a program does not accept at the copy."""
    if done.status == 0:
        return ()
    evidence = f"{program} does not verify the image: {done.stderr.strip()}"
    return (Finding(Code.NOT_REPLICATED, copy, evidence, _MISSED),)


def all_arrived(operations: Iterable[Operation]) -> tuple[Finding, ...]:
    """Find images that did not come to the copy in time. Raises Inconclusive without any."""
    copies = _copies(operations)
    return tuple(
        Finding(Code.NOT_REPLICATED, each.actor, f"{each.reference}: {each.evidence}", _MISSED)
        for each in copies
        if each.outcome is not Outcome.OK
    )


def lags(operations: Iterable[Operation]) -> tuple[float, ...]:
    """Return how long each image that arrived took, from its push's acknowledgement (seconds)."""
    return tuple(
        each.duration_seconds for each in _copies(operations) if each.outcome is Outcome.OK
    )


def _copies(operations: Iterable[Operation]) -> Sequence[Operation]:
    copies = [each for each in operations if each.kind == REPLICATE]
    if not copies:
        raise Inconclusive("no image was replicated")
    return copies


def _tags(source: Inventory, copy: Inventory) -> Iterator[Finding]:
    where = f"in {source.repository}"
    for tag, digest in sorted(source.tags.items()):
        held = copy.tags.get(tag)
        if held is None:
            evidence = f"it lacks the tag {tag} {where}, which is {digest}"
            yield Finding(Code.NOT_REPLICATED, copy.host, evidence, _MISSED)
        elif held != digest:
            evidence = f"its tag {tag} {where} is {held}, at the source {digest}"
            yield Finding(Code.NOT_REPLICATED, copy.host, evidence, _MISSED)
    for tag in sorted(copy.tags.keys() - source.tags.keys()):
        evidence = f"it keeps the tag {tag} {where}, which the source has not"
        yield Finding(Code.NOT_DELETED, copy.host, evidence, _MISSED)


def _referrers(source: Inventory, copy: Inventory) -> Iterator[Finding]:
    for subject in sorted(source.referrers):
        for digest in sorted(source.referrers[subject] - copy.referrers.get(subject, frozenset())):
            evidence = f"{digest} is not attached to {subject} in {copy.repository}"
            yield Finding(Code.NOT_REPLICATED, copy.host, evidence, _MISSED)
    for subject in sorted(copy.referrers):
        for digest in sorted(copy.referrers[subject] - source.referrers.get(subject, frozenset())):
            evidence = f"{digest} is still attached to {subject} in {copy.repository}"
            yield Finding(Code.NOT_DELETED, copy.host, evidence, _MISSED)


def _content(copy: Inventory) -> Iterator[Finding]:
    for digest in sorted(copy.missing):
        evidence = f"it does not hold {digest}, which a manifest in {copy.repository} names"
        yield Finding(Code.NOT_REPLICATED, copy.host, evidence, _MISSED)
    for wanted, found in sorted(copy.held.items()):
        if wanted != found:
            evidence = f"what it holds as {wanted} in {copy.repository} are the bytes of {found}"
            yield Finding(Code.WRONG_BYTES, copy.host, evidence)
