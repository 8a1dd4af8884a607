"""Which tags of a repository stay, and what may be deleted so that only the others go; pure.

Registries delete manifests, and with one all the tags that name it: a tag cannot go while
another one keeps its image, and the images of an index go with it only while no other index
that stays names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness import oci

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Policy:
    """Keeps the newest tags, so many, and those that match one of the patterns as in a shell."""

    newest: int
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a policy means for a repository.

    `kept` are the tags that it keeps; `spared` are those that it does not keep and that stay
    all the same, because a kept one needs their manifest. `deleted` are digests of manifests:
    indexes come before their images.
    """

    kept: frozenset[str]
    spared: frozenset[str]
    deleted: tuple[str, ...]


def plan(policy: Policy, tags: Mapping[str, str], manifests: Mapping[str, bytes]) -> Plan:
    """Plan what to delete of a repository.

    `tags` maps tags to digests, the oldest first: who pushes knows the order, a registry tells
    none. `manifests` maps the digests of all that the repository holds to their content; what
    no kept tag leads to is deleted, whether it has a tag or not.
    """
    names = list(tags)
    newest = names[max(0, len(names) - policy.newest) :]
    kept = {name for name in names if name in newest or _matches(name, policy.patterns)}
    needed = _reached({tags[name] for name in kept}, manifests)
    # An index is gone before its images are, so that nobody is promised what is not there.
    unneeded = [digest for digest in manifests if digest not in needed]
    unneeded.sort(key=lambda digest: (not oci.links(manifests[digest]).manifests, digest))
    return Plan(
        kept=frozenset(kept),
        spared=frozenset(name for name in names if name not in kept and tags[name] in needed),
        deleted=tuple(unneeded),
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _reached(digests: set[str], manifests: Mapping[str, bytes]) -> set[str]:
    """Return manifests with all that they lead to, indexes of indexes included."""
    reached: set[str] = set()
    while new := digests - reached:
        reached |= new
        held = new & manifests.keys()
        digests = {child for each in held for child in oci.links(manifests[each]).manifests}
    return reached
