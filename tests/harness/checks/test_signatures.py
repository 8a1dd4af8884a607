from __future__ import annotations

import pytest

from harness import checks
from harness.command import Completed
from harness.findings import Code

HOST = "primary.pullproof.test:5000"
NOTHING_FOUND = "WARNING: skipping\nError: no signatures found\nerror during command execution"
UNREACHABLE = "Error: failed to get manifest descriptor: dial tcp: no such host"


def ended(status: int, stderr: str = "") -> Completed:
    return Completed(status, b"", stderr)


def test_verified_signature_leaves_nothing_to_find() -> None:
    assert checks.signed(HOST, "cosign", ended(0)) == ()


def test_signature_that_is_not_verified_is_lost_in_the_programs_words() -> None:
    (found,) = checks.signed(HOST, "cosign", ended(10, NOTHING_FOUND))

    assert (found.code, found.subject) == (Code.SIGNATURE_LOST, HOST)
    assert found.evidence == "cosign does not verify a signed image: Error: no signatures found"


def test_program_without_a_line_of_its_error_is_quoted_whole() -> None:
    (found,) = checks.signed(HOST, "notation", ended(2, " killed\n"))

    assert found.evidence.endswith(": killed")


@pytest.mark.parametrize(
    "words",
    [
        NOTHING_FOUND,
        "Error: no matching signatures: invalid signature when validating",
        "Error: no matching attestations: failed to verify signature",
        'Error: signature verification failed: no signature is associated with "x"',
        "Error: signature verification failed for all the signatures associated with x",
    ],
)
def test_refusal_is_what_an_unsigned_image_must_get(words: str) -> None:
    assert checks.refused(HOST, "cosign", ended(1, words)) == ()


def test_accepted_image_that_must_be_refused_is_found() -> None:
    (found,) = checks.refused(HOST, "notation", ended(0))

    assert (found.code, found.subject) == (Code.SIGNATURE_ACCEPTED, HOST)
    assert found.evidence.startswith("notation accepts")


def test_refusal_for_another_reason_proves_nothing() -> None:
    (found,) = checks.refused(HOST, "notation", ended(1, UNREACHABLE))

    assert found.code == Code.WRONG_REASON
    assert found.evidence.endswith(UNREACHABLE)


def test_attachments_that_are_listed_and_served_are_sound() -> None:
    assert checks.attached(HOST, ["a", "b"], ["a", "b", "c"], ["a", "b"]) == ()


def test_attachments_that_are_not_listed_or_not_served_are_found_apart() -> None:
    found = checks.attached(HOST, ["a", "b", "c"], ["b", "c"], ["c"])

    assert [each.evidence for each in found] == [
        "attached to an image, a is not listed",
        "attached to an image, b is listed but not served",
    ]
    assert {each.code for each in found} == {Code.LOST_CONTENT}
