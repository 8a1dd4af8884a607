"""Signatures of cosign, in its old and in its new format, and of notation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fixtures.signing import new_key_password
from harness import oci
from harness.clients.signing import signers

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.signing import Signing
    from harness.findings import Finding
    from harness.lab import Lab
    from harness.registry.protocols import Registry


@pytest.mark.failure_modes(21)
def test_signed_image_is_verified(signing: Signing, judge: Judge) -> None:
    """What each program signs, in each format, is verified, also after a further push."""

    def lost(registry: Registry) -> tuple[Finding, ...]:
        image = signing.signed(registry)
        signing.push_neighbour(registry, image)
        return signing.lost(registry.host, image.by_digest)

    judge(signing.in_each(lost))


def test_unsigned_image_is_refused(lab: Lab, signing: Signing, judge: Judge) -> None:
    """No program accepts an image that nobody has signed."""
    judge(signing.accepted(lab.primary.host, signing.publish(lab.primary).by_digest))


def test_signature_of_a_stranger_is_refused(lab: Lab, signing: Signing, judge: Judge) -> None:
    """No program accepts an image that only somebody else has signed, with a key of their own."""
    with lab.client_tools().workspace() as elsewhere:
        stranger = replace(signing, programs=signers(elsewhere, new_key_password(lab)))
        image = stranger.signed(lab.primary)
    judge(signing.accepted(lab.primary.host, image.by_digest))


def test_image_that_was_changed_is_refused(lab: Lab, signing: Signing, judge: Judge) -> None:
    """No program accepts a tag under which a signed image was replaced by a changed one."""
    registry = lab.primary
    image = signing.signed(registry)
    changed = signing.push(oci.with_shared_layers(image.image), image.repository, registry)
    judge(
        signing.accepted(registry.host, changed.reference),
        signing.lost(registry.host, image.by_digest),
    )
