from __future__ import annotations

from harness import checks
from harness.findings import Code

HOST = "primary.pullproof.test:5000"


def test_list_that_names_every_tag_once_is_sound() -> None:
    assert checks.listed_once(HOST, ["a", "b", "c"], [["a", "b"], ["c"]]) == ()


def test_tags_that_nobody_asked_for_are_no_matter() -> None:
    assert checks.listed_once(HOST, ["a"], [["a", "z"]]) == ()


def test_missing_tags_are_named_but_not_all_of_many() -> None:
    (few,) = checks.listed_once(HOST, ["a", "b"], [["a"]])
    (many,) = checks.listed_once(HOST, [f"{number}" for number in range(8)], [[]])

    assert (few.code, few.subject) == (Code.LOST_CONTENT, HOST)
    assert few.evidence == "of 2 tags it lists all but b"
    assert many.evidence == "of 8 tags it lists all but 0, 1, 2, 3, 4 and 3 more"


def test_tag_on_two_pages_is_found() -> None:
    (found,) = checks.listed_once(HOST, ["a", "b"], [["a", "b"], ["b"]])

    assert (found.code, found.evidence) == (Code.LISTING, "it lists more than once b")
