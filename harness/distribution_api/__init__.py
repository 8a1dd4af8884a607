"""A client of the OCI distribution protocol that measures what it does."""

from harness.distribution_api.client import BlobRead, DistributionAPI, Manifest, Ping, Upload
from harness.distribution_api.transport import (
    USER_AGENT,
    Endpoint,
    MachineTrust,
    PinnedCertificate,
    TrustedAuthority,
    UnexpectedStatusError,
)

__all__ = [
    "USER_AGENT",
    "BlobRead",
    "DistributionAPI",
    "Endpoint",
    "MachineTrust",
    "Manifest",
    "Ping",
    "PinnedCertificate",
    "TrustedAuthority",
    "UnexpectedStatusError",
    "Upload",
]
