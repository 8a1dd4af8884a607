"""A client of the OCI distribution protocol that measures what it does."""

from harness.distribution_api.client import BlobRead, DistributionAPI, Manifest, Ping, Upload
from harness.distribution_api.transport import (
    Endpoint,
    MachineTrust,
    PinnedCertificate,
    TrustedAuthority,
    UnexpectedStatusError,
)

__all__ = [
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
