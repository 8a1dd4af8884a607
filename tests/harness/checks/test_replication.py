from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.command import Completed
from harness.findings import Code, Inconclusive
from harness.history import Operation, Outcome
from harness.registry.inventory_model import Inventory

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "source.test:5000"
COPY = "copy.test:5000"
HELD = {"sha256:aa": "sha256:aa", "sha256:bb": "sha256:bb"}


def inventory(
    host: str,
    tags: Mapping[str, str],
    *,
    held: Mapping[str, str] = HELD,
    missing: frozenset[str] = frozenset(),
    referrers: Mapping[str, frozenset[str]] | None = None,
) -> Inventory:
    return Inventory(host, "team/app", tags, held, missing, referrers or {})


def codes(source: Inventory, copy: Inventory) -> list[tuple[Code, str]]:
    found = checks.same_inventory(source, copy)
    assert {finding.subject for finding in found} <= {COPY}
    return [(finding.code, finding.evidence) for finding in found]


def test_equal_copy_leaves_nothing_to_find() -> None:
    attached = {"sha256:aa": frozenset({"sha256:bb"})}
    source = inventory(SOURCE, {"v1": "sha256:aa"}, referrers=attached)

    assert codes(source, inventory(COPY, {"v1": "sha256:aa"}, referrers=attached)) == []


def test_tags_that_are_missing_stale_or_left_over_are_told_apart() -> None:
    source = inventory(SOURCE, {"new": "sha256:aa", "moved": "sha256:aa"})
    copy = inventory(COPY, {"moved": "sha256:bb", "old": "sha256:bb"})

    assert codes(source, copy) == [
        (Code.NOT_REPLICATED, "its tag moved in team/app is sha256:bb, at the source sha256:aa"),
        (Code.NOT_REPLICATED, "it lacks the tag new in team/app, which is sha256:aa"),
        (Code.NOT_DELETED, "it keeps the tag old in team/app, which the source has not"),
    ]


def test_referrers_that_are_missing_or_left_over_are_told_apart() -> None:
    tags = {"v1": "sha256:aa"}
    signed = inventory(SOURCE, tags, referrers={"sha256:aa": frozenset({"sha256:bb"})})
    bare = inventory(COPY, tags)

    assert codes(signed, bare) == [
        (Code.NOT_REPLICATED, "sha256:bb is not attached to sha256:aa in team/app")
    ]
    bare, signed = inventory(SOURCE, tags), inventory(COPY, tags, referrers=signed.referrers)
    assert codes(bare, signed) == [
        (Code.NOT_DELETED, "sha256:bb is still attached to sha256:aa in team/app")
    ]


def test_content_that_a_copy_lacks_or_has_changed_is_found() -> None:
    source = inventory(SOURCE, {"v1": "sha256:aa"})
    copy = inventory(
        COPY,
        {"v1": "sha256:aa"},
        held={"sha256:aa": "sha256:aa", "sha256:bb": "sha256:00"},
        missing=frozenset({"sha256:cc"}),
    )

    assert [code for code, _ in codes(source, copy)] == [Code.NOT_REPLICATED, Code.WRONG_BYTES]


def test_deleted_image_must_be_gone() -> None:
    assert checks.is_deleted(COPY, "sha256:aa", held=False) == ()
    [finding] = checks.is_deleted(COPY, "sha256:aa", held=True)
    assert (finding.code, finding.subject) == (Code.NOT_DELETED, COPY)


def test_signature_must_be_verified_at_the_copy() -> None:
    assert checks.verified(COPY, "cosign", Completed(0, b"", "")) == ()
    [finding] = checks.verified(COPY, "cosign", Completed(1, b"", "no signatures found\n"))
    assert finding.code is Code.NOT_REPLICATED
    assert finding.evidence == "cosign does not verify the image: no signatures found"


def copied(
    seconds: float, outcome: Outcome = Outcome.OK, kind: str = checks.REPLICATE
) -> Operation:
    return Operation(
        kind=kind,
        actor=COPY,
        reference=f"{COPY}/team/app:v1",
        started=1.0,
        ended=1.0 + seconds,
        duration_seconds=seconds,
        outcome=outcome,
        digest="sha256:aa",
        transferred_bytes=10,
        cause="",
        evidence="not there after 3 s",
    )


def test_lags_are_those_of_what_arrived() -> None:
    operations = (copied(1.0), copied(3.0, Outcome.FAILED), copied(9.0, kind="pull"))

    assert checks.lags(operations) == (1.0,)
    [finding] = checks.all_arrived(operations)
    assert (finding.code, finding.subject) == (Code.NOT_REPLICATED, COPY)
    assert "not there after 3 s" in finding.evidence


def test_nothing_replicated_proves_nothing() -> None:
    with pytest.raises(Inconclusive, match="no image was replicated"):
        checks.all_arrived(())
    with pytest.raises(Inconclusive, match="no image was replicated"):
        checks.lags([copied(1.0, kind="pull")])
