"""Broken retention: what the suite `retention` must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import workload
from harness.findings import Code
from harness.machine import CHECKOUT
from tests.sabotage import collecting
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.workload import Published

SCENARIO = CHECKOUT / "tests/sabotage/retention.yaml"
PRIMARY = "primary.pullproof.test:5000"
TAGS = "retention.kept-tags-are-pulled-and-removed-ones-are-gone"
SPACE = "retention.collection-returns-what-retention-removed"
REMOVED, KEPT = "build-2", "build-3"


def _delete_a_kept_tag(lab: Lab, published: Published) -> None:
    """Be a second cleaner, whose policy keeps less."""
    if published.tag == KEPT:
        workload.delete(lab.primary, published)


def _keep_removed_images_in_a_mirror(lab: Lab, published: Published) -> None:
    """Be a cache that nobody cleans."""
    if published.tag == REMOVED:
        mirror = lab.registries[1]
        workload.publish(
            mirror, published.image, repository=published.repository, tag=published.tag
        )


def _tag_a_removed_image_again(lab: Lab, published: Published) -> None:
    """Be a pipeline that pins what the policy removes."""
    if published.tag == REMOVED:
        name = f"{published.repository}/pinned"
        workload.publish(lab.primary, published.image, repository=name)


CASES = (
    Case(
        name="another-cleaner-removes-a-kept-tag",
        suite="retention",
        sabotage=Sabotage(published=_delete_a_kept_tag),
        turns_red={TAGS: Code.LOST_CONTENT, SPACE: Code.LOST_CONTENT},
        subjects=frozenset({PRIMARY}),
        scenario=SCENARIO,
    ),
    Case(
        name="mirror-keeps-removed-tags",
        suite="retention",
        sabotage=Sabotage(published=_keep_removed_images_in_a_mirror),
        turns_red={TAGS: Code.PULL_ACCEPTED},
        subjects=frozenset({"node-1"}),
        scenario=SCENARIO,
    ),
    Case(
        name="removed-image-is-pinned-elsewhere",
        suite="retention",
        sabotage=Sabotage(published=_tag_a_removed_image_again),
        turns_red={SPACE: Code.SPACE_KEPT},
        subjects=frozenset({PRIMARY}),
        scenario=SCENARIO,
    ),
    Case(
        name="collection-after-retention-deletes-a-kept-layer",
        suite="retention",
        sabotage=collecting.collect_by(collecting.DELETES_A_LIVE_BLOB),
        turns_red={SPACE: Code.LOST_CONTENT},
        subjects=frozenset({PRIMARY}),
        scenario=SCENARIO,
    ),
)
