"""A whole lab: a cluster and its registries, as a scenario describes them."""

from harness.lab.building import attached_lab, started_lab
from harness.lab.existing import attached_existing_lab, existing_lab
from harness.lab.lab import Lab, LabHandle, ability, credentials_of
from harness.lab.links import require_links
from harness.lab.parts import images_of

__all__ = [
    "Lab",
    "LabHandle",
    "ability",
    "attached_existing_lab",
    "attached_lab",
    "credentials_of",
    "existing_lab",
    "images_of",
    "require_links",
    "started_lab",
]
