"""A whole lab: a cluster and its registries, as a scenario describes them."""

from harness.lab.building import attached_lab, images_of, started_lab
from harness.lab.lab import Lab, LabHandle, ability, credentials_of

__all__ = [
    "Lab",
    "LabHandle",
    "ability",
    "attached_lab",
    "credentials_of",
    "images_of",
    "started_lab",
]
