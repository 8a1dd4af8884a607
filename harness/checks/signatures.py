"""Judges what programs say of signatures, and what registries list as attached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.command import Completed

# How cosign 3 and notation 1.3 refuse an image; whatever else they say is about something else.
_REFUSALS = (
    "no signatures found",
    "no matching signatures",
    "no matching attestations",
    "no signature is associated with",
    "signature verification failed",
)
_LOST = (
    "keep what programs store beside an image: tags of the form sha256-<digest> and manifests "
    "without a tag, in retention, replication and garbage collection"
)
_FORGED = "keep signing keys from whoever may push, and let policies demand a signature"


def signed(host: str, program: str, done: Completed) -> tuple[Finding, ...]:
    """Find a signature that a program made and does not find or accept any more."""
    if done.status == 0:
        return ()
    evidence = f"{program} does not verify a signed image: {_words(done)}"
    return (Finding(Code.SIGNATURE_LOST, host, evidence, _LOST),)


def refused(host: str, program: str, done: Completed) -> tuple[Finding, ...]:
    """Find an image that a program must refuse and accepts, or refuses for another reason."""
    if done.status == 0:
        evidence = f"{program} accepts an image that nobody signed with its key"
        return (Finding(Code.SIGNATURE_ACCEPTED, host, evidence, _FORGED),)
    if any(refusal in done.stderr for refusal in _REFUSALS):
        return ()
    evidence = f"{program} fails for a reason that is not the signature: {_words(done)}"
    return (Finding(Code.WRONG_REASON, host, evidence, "look at the registry's log of this time"),)


def attached(
    host: str, wanted: Collection[str], listed: Collection[str], served: Collection[str]
) -> tuple[Finding, ...]:
    """Find what was attached to an image and is not listed as referring to it, or not served."""
    missing = [f"{digest} is not listed" for digest in sorted(set(wanted) - set(listed))]
    gone = [
        f"{digest} is listed but not served"
        for digest in sorted(set(wanted) & set(listed) - set(served))
    ]
    return tuple(
        Finding(Code.LOST_CONTENT, host, f"attached to an image, {what}", _LOST)
        for what in (*missing, *gone)
    )


def _words(done: Completed) -> str:
    """Return the line in which a program tells what went wrong, or all that it said."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    return errors[0] if errors else done.stderr.strip()
