"""What a check found, and how it stops a test: three exceptions, three statuses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Code(StrEnum):
    """Stable failure codes of checks; users gate on them, so names never change meaning."""

    PULL_FAILED = "pull-failed"
    PULL_ACCEPTED = "pull-accepted"
    WRONG_REASON = "wrong-reason"
    WRONG_PATH = "wrong-path"
    WRONG_BYTES = "wrong-bytes"
    LOST_CONTENT = "lost-content"
    NOT_REPLICATED = "not-replicated"
    NOT_DELETED = "not-deleted"
    RUNTIME_NOT_READY = "runtime-not-ready"
    CONFIGURATION = "configuration"
    CERTIFICATE = "certificate"
    UPLOAD_LOCATION = "upload-location"
    PUSH_FAILED = "push-failed"
    SECRET_EXPOSED = "secret-exposed"  # noqa: S105 - a code's name, not a secret
    TARGET_MISSED = "target-missed"
    ROLLOUT_HANGS = "rollout-hangs"
    ROLLOUT_LEFTOVER = "rollout-leftover"
    SERVICE_LOST = "service-lost"
    METRICS = "metrics"
    COLLECTION = "collection"
    SPACE_KEPT = "space-kept"
    WRITE_ACCEPTED = "write-accepted"
    ACCESS = "access"
    LISTING = "listing"
    SIGNATURE_LOST = "signature-lost"
    SIGNATURE_ACCEPTED = "signature-accepted"
    FETCHED_AGAIN = "fetched-again"
    CACHE_REFUSED = "cache-refused"
    PUSH_ACCEPTED = "push-accepted"
    BLOB_REDIRECT = "blob-redirect"
    UPLOAD_STUCK = "upload-stuck"
    ACCESS_LOG = "access-log"
    ALERTS = "alerts"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a code, whom it concerns, what was seen, what to change."""

    code: Code
    subject: str
    evidence: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n    remedy: {self.remedy}" if self.remedy else ""
        return f"{self.code} at {self.subject}: {self.evidence}{remedy}"


class ContractBroken(AssertionError):  # noqa: N818 - reads as what happened to the system
    """The system under test did not do what it must: the check has failed."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class Inconclusive(Exception):  # noqa: N818 - a status, not an error
    """Evidence is missing or the measuring side was saturated: nothing was proven."""


class NotVerified(Exception):  # noqa: N818 - a status, not an error
    """The check cannot run here; the message says why.

    `lacking` names the ability that the system does not offer, empty for any other reason.
    """

    def __init__(self, message: str, *, lacking: str = "") -> None:
        super().__init__(message)
        self.lacking = lacking
