from __future__ import annotations

import base64

from harness import checks
from harness.findings import Code
from harness.secret import Secret

CANARY = "canary-7f3a"


def test_lost_and_changed_blobs_are_found() -> None:
    held = {"sha256:aa": "sha256:aa", "sha256:bb": "sha256:00"}

    found = checks.same_content("node-1", ["sha256:aa", "sha256:bb", "sha256:cc"], held)

    assert [(finding.code, finding.subject) for finding in found] == [
        (Code.WRONG_BYTES, "node-1"),
        (Code.LOST_CONTENT, "node-1"),
    ]


def test_log_without_the_secret_leaves_nothing_to_find() -> None:
    assert checks.hides("node-1", Secret(CANARY), "line\nline\n", where="its log") == ()


def test_secret_in_a_log_is_found_and_not_repeated() -> None:
    coded = base64.b64encode(f"user:{CANARY}".encode()).decode()

    (finding,) = checks.hides("node-1", Secret(CANARY), f"one\nauth {coded}\n", where="its log")

    assert (finding.code, finding.subject) == (Code.SECRET_EXPOSED, "node-1")
    assert coded not in str(finding)
