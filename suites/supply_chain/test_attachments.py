"""What is attached to an image: listed beside it, and copied with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness import checks, oci
from harness.findings import Code, ContractBroken, Finding, NotVerified
from harness.workload import TAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.recorder import Judge
    from fixtures.signing import Signing
    from harness.clients import Workspace
    from harness.registry.protocols import Registry

ARTIFACTS = ("application/vnd.pullproof.bill", "application/vnd.pullproof.provenance")


def test_attachments_are_listed(signing: Signing, workspace: Workspace, judge: Judge) -> None:
    """What refers to an image is listed beside it and served, also after a further push.

    By the referrers API where the registry has it, else under the tag by which programs make up
    for that.
    """
    workspace.write("attached", b"to this image")

    def lost(registry: Registry) -> tuple[Finding, ...]:
        image = signing.publish(registry)
        attach = ("oras", "attach", "--format", "json", "--artifact-type")
        made = [
            json.loads(_told(workspace, registry, [*attach, each, image.by_digest, "attached"]))
            for each in ARTIFACTS
        ]
        signing.push_neighbour(registry, image)
        api, repository = registry.api(), image.repository
        listed = api.referrers(repository, image.image.digest)
        served = [digest for digest in listed if api.manifest_exists(repository, digest)]
        wanted = [str(each["digest"]) for each in made]
        return checks.attached(registry.host, wanted, listed, served)

    judge(signing.in_each(lost))


@pytest.mark.failure_modes(20)
def test_copied_image_is_verified(signing: Signing, workspace: Workspace, judge: Judge) -> None:
    """An image copied with what is attached to it is verified in a registry of another version."""
    if len(signing.registries) < 2:
        raise NotVerified("the scenario has no two registries of different versions")
    source, copy = signing.registries[:2]
    image = signing.signed(source)
    held, repository = f"{source.host}/{image.repository}", f"{image.repository}/copy"
    to = f"{copy.host}/{repository}"
    signature = oci.cosign_tag(image.image.digest)
    _told(workspace, copy, ["oras", "cp", "--recursive", f"{held}:{TAG}", f"{to}:{TAG}"])
    _told(workspace, copy, ["oras", "cp", f"{held}:{signature}", f"{to}:{signature}"])
    signing.push(oci.image(), repository, copy)
    judge(signing.lost(copy.host, f"{to}@{image.image.digest}"))


def _told(workspace: Workspace, registry: Registry, arguments: Sequence[str]) -> str:
    """Run a program that writes to a registry, and return what it tells."""
    done = workspace.run(arguments)
    if done.status:
        evidence = f"{' '.join(arguments[:2])}: {done.stderr.strip()}"
        raise ContractBroken([Finding(Code.PUSH_FAILED, registry.host, evidence)])
    return done.text
