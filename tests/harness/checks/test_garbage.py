from __future__ import annotations

import pytest

from harness import checks
from harness.findings import Code, Inconclusive
from harness.registry.protocols import Collection, Storage

HOST = "registry.test:5000"


def storage(*digests: str) -> Storage:
    return Storage(dict.fromkeys(digests, 10), frozenset(), {})


def test_content_in_use_that_is_gone_is_found() -> None:
    found = checks.nothing_lost(HOST, ["sha256:bb", "sha256:aa"], storage("sha256:aa"))

    assert [(finding.code, finding.subject) for finding in found] == [(Code.LOST_CONTENT, HOST)]
    assert "sha256:bb" in found[0].evidence


def test_nothing_in_use_proves_nothing() -> None:
    with pytest.raises(Inconclusive):
        checks.nothing_lost(HOST, [], storage("sha256:aa"))


def test_garbage_that_still_takes_space_is_found() -> None:
    (found,) = checks.garbage_gone(HOST, ["sha256:aa", "sha256:bb"], storage("sha256:aa"))

    assert found.code is Code.SPACE_KEPT
    assert "10 bytes" in found.evidence


def test_collection_that_did_as_it_says_leaves_nothing_to_find() -> None:
    before, after = storage("sha256:aa", "sha256:bb"), storage("sha256:aa")

    assert checks.did_as_told(HOST, Collection(frozenset({"sha256:bb"}), ""), before, after) == ()


def test_claims_and_deeds_that_differ_are_found_either_way() -> None:
    before, after = storage("sha256:aa", "sha256:bb"), storage("sha256:aa")

    found = checks.did_as_told(HOST, Collection(frozenset({"sha256:aa"}), ""), before, after)

    assert [(finding.code, finding.evidence) for finding in found] == [
        (Code.COLLECTION, "it says that it deleted sha256:aa, which is still there"),
        (Code.COLLECTION, "sha256:bb is gone, which it did not tell"),
    ]


def test_failed_collection_is_found_whatever_it_says() -> None:
    failed = Collection(frozenset({"sha256:aa"}), "exit status 1")

    (found,) = checks.did_as_told(HOST, failed, storage("sha256:aa"), storage("sha256:aa"))

    assert (found.code, found.evidence) == (Code.COLLECTION, "exit status 1")


@pytest.mark.parametrize("status", [403, 405, 503])
def test_clear_refusal_of_a_push_is_right(status: int) -> None:
    assert checks.writes_refused(HOST, [checks.Write(status, "no")]) == ()


@pytest.mark.parametrize(
    ("status", "code"),
    [(201, Code.WRITE_ACCEPTED), (0, Code.WRONG_REASON), (500, Code.WRONG_REASON)],
)
def test_accepted_or_broken_push_is_found(status: int, code: Code) -> None:
    (found,) = checks.writes_refused(HOST, [checks.Write(status, "words")])

    assert (found.code, found.subject) == (code, HOST)


def test_no_push_proves_nothing() -> None:
    with pytest.raises(Inconclusive):
        checks.writes_refused(HOST, [])


def test_lost_and_leftover_tags_are_found() -> None:
    found = checks.has_tags(HOST, {"kept", "lost"}, ("kept", "left"))

    assert [(finding.code, finding.evidence) for finding in found] == [
        (Code.LOST_CONTENT, "tag lost is to be kept and is gone"),
        (Code.SPACE_KEPT, "tag left is to be removed and is still there"),
    ]


def test_policy_that_keeps_no_tag_proves_nothing() -> None:
    with pytest.raises(Inconclusive):
        checks.has_tags(HOST, set(), ("left",))
