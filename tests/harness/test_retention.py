from __future__ import annotations

from harness import oci
from harness.retention import Policy, plan

OLD, NEWER, NEWEST = (oci.image() for _ in range(3))
CHILD = oci.image()
INDEX = oci.index([CHILD, NEWEST])
CONTENT = {each.digest: each.manifest.content for each in (OLD, NEWER, NEWEST, CHILD, INDEX)}


def content(*images: oci.Image | oci.Index) -> dict[str, bytes]:
    return {each.digest: CONTENT[each.digest] for each in images}


def test_newest_tags_are_kept_and_the_others_deleted() -> None:
    tags = {"one": OLD.digest, "two": NEWER.digest, "three": NEWEST.digest}

    planned = plan(Policy(newest=2), tags, content(OLD, NEWER, NEWEST))

    assert planned.kept == {"two", "three"}
    assert planned.spared == frozenset()
    assert planned.deleted == (OLD.digest,)


def test_tags_of_a_pattern_are_kept_whatever_their_age() -> None:
    tags = {"release-1": OLD.digest, "Release-1": NEWER.digest, "three": NEWEST.digest}

    planned = plan(Policy(newest=1, patterns=("release-*",)), tags, content(OLD, NEWER, NEWEST))

    assert planned.kept == {"release-1", "three"}
    assert planned.deleted == (NEWER.digest,)


def test_tag_that_shares_its_image_with_a_kept_one_is_spared() -> None:
    tags = {"build-1": OLD.digest, "release-1": OLD.digest}

    planned = plan(Policy(newest=1), tags, content(OLD))

    assert planned.kept == {"release-1"}
    assert planned.spared == {"build-1"}
    assert planned.deleted == ()


def test_images_of_a_kept_index_stay_without_any_tag() -> None:
    planned = plan(Policy(newest=1), {"multi": INDEX.digest}, content(INDEX, CHILD, NEWEST, OLD))

    assert planned.deleted == (OLD.digest,)


def test_image_of_a_kept_index_keeps_its_own_tag() -> None:
    tags = {"build-1": CHILD.digest, "multi": INDEX.digest}

    assert plan(Policy(newest=1), tags, content(INDEX, CHILD, NEWEST)).spared == {"build-1"}


def test_index_goes_before_its_images_but_for_those_that_others_need() -> None:
    tags = {"multi": INDEX.digest, "three": NEWEST.digest}

    planned = plan(Policy(newest=1), tags, content(CHILD, NEWEST, INDEX))

    assert planned.deleted == (INDEX.digest, CHILD.digest)


def test_missing_image_of_a_kept_index_is_nobodys_to_delete() -> None:
    assert plan(Policy(newest=1), {"multi": INDEX.digest}, content(INDEX)).deleted == ()


def test_policy_that_keeps_nothing_deletes_all() -> None:
    planned = plan(Policy(newest=0), {"one": OLD.digest}, content(OLD))

    assert planned.kept == frozenset()
    assert planned.deleted == (OLD.digest,)
