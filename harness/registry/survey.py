"""What manifests of a registry lead to, read through its API."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from harness import oci
from harness.distribution_api import UnexpectedStatusError
from harness.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.distribution_api import DistributionAPI, Manifest

_READERS: Final = 8

Place = tuple[str, str]


@dataclass(frozen=True)
class Survey:
    """Manifests as the registry served them, by repository and digest, and what it did not serve.

    `missing` are repositories with the tag or digest that they do not hold: of the places asked
    for, and of those that an index names.
    """

    manifests: Mapping[Place, bytes]
    missing: frozenset[Place]

    @property
    def digests(self) -> frozenset[str]:
        """Digests of the manifests and of all that they name, but for what is missing."""
        blobs = {blob for content in self.manifests.values() for blob in oci.links(content).blobs}
        return frozenset(blobs | {digest for _, digest in self.manifests})


def survey(api: DistributionAPI, places: Iterable[Place]) -> Survey:
    """Read the manifests at `places`, repositories with a tag or digest, and all below them.

    Raises RegistryError where the registry does not answer as it must.
    """
    manifests: dict[Place, bytes] = {}
    missing: set[Place] = set()
    wanted = set(places)

    def read(place: Place) -> Manifest | None:
        try:
            return api.manifest(*place)
        except UnexpectedStatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    with Pool(_READERS) as pool:
        while wanted:
            found = list(zip(wanted, pool.map(read, wanted), strict=True))
            missing |= {place for place, manifest in found if manifest is None}
            served = {(place[0], each.digest): each.content for place, each in found if each}
            manifests |= served
            named = {
                (repository, child)
                for (repository, _), content in served.items()
                for child in oci.links(content).manifests
            }
            wanted = named - manifests.keys() - missing
    return Survey(manifests, frozenset(missing))
