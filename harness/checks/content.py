"""Judges content: whole, byte for byte, and free of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding
from harness.result.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.secret import Secret


def same_content(
    subject: str, digests: Sequence[str], held: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Find blobs that a node or registry lacks, or holds with other bytes.

    `held` maps each wanted digest that was found to the digest of the bytes found.
    """
    findings = []
    for digest in digests:
        if digest not in held:
            findings.append(Finding(Code.LOST_CONTENT, subject, f"it does not hold {digest}"))
        elif held[digest] != digest:
            evidence = f"what it holds as {digest} are the bytes of {held[digest]}"
            findings.append(Finding(Code.WRONG_BYTES, subject, evidence))
    return tuple(findings)


def hides(subject: str, secret: Secret, text: str, *, where: str) -> tuple[Finding, ...]:
    """Find a secret in a text, in any encoding that outputs use; the finding does not repeat it."""
    if Redactor([secret]).clean(text) == text:
        return ()
    return (
        Finding(
            Code.SECRET_EXPOSED,
            subject,
            f"{where} contains the password",
            "lower the log level, find what writes it, and change the password",
        ),
    )
