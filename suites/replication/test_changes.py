"""Each kind of change at the source arrives in the copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, oci
from harness.clients.signing import signers

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.replication import CopiedRepository
    from harness.clients import Workspace
    from harness.lab import Lab

LAYER_BYTES = 256 * 1024


def test_pushed_image_arrives_whole(copied: tuple[CopiedRepository, ...], judge: Judge) -> None:
    """A pushed image is in the copy under all its tags, byte for byte."""
    for each in copied:
        image = oci.image(layers=2, layer_bytes=LAYER_BYTES)
        each.push(image, "latest")
        each.push(image, "v1")
    judge(*(each.differences() for each in copied))


@pytest.mark.failure_modes(19)
def test_moved_tag_moves_in_the_copy(copied: tuple[CopiedRepository, ...], judge: Judge) -> None:
    """A tag that is moved to another image names that one in the copy too."""
    for each in copied:
        each.push(oci.image(), "v1")
    judge(*(each.differences() for each in copied))
    for each in copied:
        each.push(oci.image(), "v1")
    judge(*(each.differences() for each in copied))


def test_index_arrives_with_all_its_images(
    copied: tuple[CopiedRepository, ...], judge: Judge
) -> None:
    """An index of several images is in the copy with every one of them."""
    for each in copied:
        each.push(oci.index([oci.image(), oci.image()]), "v1")
    judge(*(each.differences() for each in copied))


def test_deleted_image_goes_from_the_copy_and_no_other(
    copied: tuple[CopiedRepository, ...], judge: Judge
) -> None:
    """An image that is deleted at the source is deleted in the copy, where its neighbour stays."""
    doomed = oci.image()
    for each in copied:
        each.push(doomed, "doomed")
        each.push(oci.image(), "kept")
    judge(*(each.differences() for each in copied))
    for each in copied:
        each.delete(doomed)
    judge(*(each.differences() for each in copied))
    judge(*(each.kept(doomed) for each in copied))


@pytest.mark.failure_modes(20)
def test_signatures_verify_at_the_copy(
    lab: Lab, copied: tuple[CopiedRepository, ...], workspace: Workspace, judge: Judge
) -> None:
    """What cosign (by a tag) and notation (as a referrer) have signed is verified at the copy."""
    image = oci.image()
    programs = signers(workspace, lab.new_password().reveal().encode())
    for each in copied:
        each.push(image, "v1")
        for program in programs:
            program.sign(each.at_source(image))
    judge(*(each.differences() for each in copied))
    judge(
        *(
            checks.verified(each.copy.host, program.name, program.verify(each.at_copy(image)))
            for each in copied
            for program in programs
        )
    )
