from __future__ import annotations

from harness import checks
from harness.findings import Code

OPEN = {"team/a/1": 10, "team/b/2": 20}


def test_upload_that_no_failure_explains_is_found() -> None:
    (found,) = checks.stuck_uploads("host", OPEN, {"team/a", "team/c"})

    assert (found.code, found.subject) == (Code.UPLOAD_STUCK, "host")
    assert "team/a/1" in found.evidence


def test_upload_of_a_push_that_was_broken_off_is_expected() -> None:
    assert checks.stuck_uploads("host", OPEN, {"team/c"}) == ()
