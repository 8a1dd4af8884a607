"""What a registry holds of a repository, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Inventory:
    """All that a registry serves of one repository, found from its tags.

    `tags` maps tags to digests of manifests. `held` maps the digest of each manifest and blob
    that the tags lead to, to the digest of the bytes that were served for it; `missing` are those
    that were not served at all. `referrers` maps digests to what refers to them, where something
    does.
    """

    host: str
    repository: str
    tags: Mapping[str, str]
    held: Mapping[str, str]
    missing: frozenset[str]
    referrers: Mapping[str, frozenset[str]]
