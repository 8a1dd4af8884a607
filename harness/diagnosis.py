"""Why a pull failed: one stable code out of a closed list, from what the runtime says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """The link of the chain that broke; stable names that users gate on."""

    NAME_RESOLUTION = "name-resolution"
    CONNECTION = "connection"
    TLS_UNKNOWN_CA = "tls-unknown-ca"
    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_WRONG_NAME = "tls-wrong-name"
    TLS_CLIENT_CERTIFICATE = "tls-client-certificate"
    SCHEME_MISMATCH = "scheme-mismatch"
    AUTHENTICATION = "authentication"
    AUTHORISATION = "authorisation"
    NOT_FOUND = "not-found"
    MANIFEST_UNSUPPORTED = "manifest-unsupported"
    WRONG_BYTES = "wrong-bytes"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    STORAGE = "storage"
    REDIRECT_UNREACHABLE = "redirect-unreachable"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    NODE_DISK = "node-disk"
    POLICY = "policy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """A failed pull, named: its code, the runtime's own words, and what to change."""

    code: FailureCode
    evidence: str
    remedy: str
