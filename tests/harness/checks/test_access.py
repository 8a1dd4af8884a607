from __future__ import annotations

from harness import checks
from harness.findings import Code

BEFORE = {"nobody": 401, "an account": 200}


def test_same_answers_leave_nothing_to_find() -> None:
    assert checks.same_access("registry.test", BEFORE, dict(BEFORE)) == ()


def test_whoever_gets_another_answer_is_found() -> None:
    found = checks.same_access("registry.test", BEFORE, {"nobody": 200, "an account": 200})

    assert [(finding.code, finding.evidence) for finding in found] == [
        (Code.ACCESS, "nobody got 401 before and 200 after")
    ]
