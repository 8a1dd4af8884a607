"""What users have in a registry: still there when another version serves it, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, oci
from harness.upgrade import changed, served

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.upgrading import Upgrade
    from fixtures.workload import Publish, Pull
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published

ANOTHER_TAG = "another-tag"


def fill(registry: Registry, publish: Publish) -> Published:
    """Push what registries hold: two tags of one image, an index, and what refers to the image.

    Referrers stand in an index whose tag is made of the image's digest, as registries without
    the referrers API have it (distribution-spec, "Referrers Tag Schema").
    """
    published = publish(registry, layers=2)
    api, repository = registry.api(), published.repository
    api.put_manifest(published.image.manifest, repository, ANOTHER_TAG)
    api.push(oci.index([oci.image(), oci.image()]), repository, "index")
    api.push(oci.index([oci.image()]), repository, published.image.digest.replace(":", "-"))
    return published


@pytest.mark.exclusive
@pytest.mark.failure_modes(28)
def test_content_survives_the_upgrade(
    lab: Lab, publish: Publish, upgrade: Upgrade, judge: Judge
) -> None:
    """The new version serves every repository, tag, manifest and blob as the old one did."""
    registry, version = lab.to_be_upgraded()
    fill(registry, publish)
    with changed(registry, upgrade(version), served) as upgraded:
        judge(checks.same_served(registry.host, upgraded.before, upgraded.after))


@pytest.mark.exclusive
def test_upgrade_can_be_taken_back(
    lab: Lab, publish: Publish, pull: Pull, upgrade: Upgrade, judge: Judge
) -> None:
    """The old version serves all that the new one did, what was pushed to that one included."""
    registry, version = lab.to_be_upgraded()
    with upgrade(version)(registry) as upgraded:
        new = fill(upgraded, publish)
        with changed(upgraded, upgrade(registry.spec.version), served) as back:
            judge(checks.still_served(registry.host, back.before, back.after))
            judge(checks.all_succeeded(pull(new.reference, registry.credentials)))
