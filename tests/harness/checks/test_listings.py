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


def test_pages_in_order_are_sound_however_short_the_last_is() -> None:
    assert checks.in_pages(HOST, [["a", "b"], ["c"], []], entries=2) == ()
    assert checks.in_pages(HOST, [["c"]], entries=2, last="b") == ()


def test_page_that_is_longer_than_asked_is_found() -> None:
    (found,) = checks.in_pages(HOST, [["a", "b", "c"]], entries=2)

    assert (found.code, found.subject) == (Code.LISTING, HOST)
    assert found.evidence == "asked for pages of 2 tags it gives one of 3"


def test_tags_out_of_order_are_found_across_pages_too() -> None:
    (found,) = checks.in_pages(HOST, [["a", "c"], ["b"]], entries=2)

    assert found.evidence == "tags do not follow the one before in lexical order: b"


def test_list_that_does_not_go_on_where_it_was_asked_to_is_found() -> None:
    (found,) = checks.in_pages(HOST, [["a", "b"]], entries=2, last="b")

    assert found.evidence.endswith("order: a")
