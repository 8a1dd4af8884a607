from __future__ import annotations

import pytest

from harness.cri.client import status_of

RESET = "Stream removed (RST_STREAM (Received RST_STREAM with error code 8))"


@pytest.mark.parametrize(
    ("code", "details", "late", "status"),
    [
        ("UNKNOWN", RESET, True, "DEADLINE_EXCEEDED"),
        ("CANCELLED", RESET, True, "DEADLINE_EXCEEDED"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", True, "DEADLINE_EXCEEDED"),
        ("UNKNOWN", RESET, False, "UNKNOWN"),
        ("UNKNOWN", "401 Unauthorized", True, "UNKNOWN"),
    ],
)
def test_call_that_the_runtime_resets_at_its_time_limit_has_run_out_of_time(
    code: str, details: str, late: bool, status: str
) -> None:
    assert status_of(code, details, late=late) == status
