from __future__ import annotations

import pytest

from harness import checks
from harness.findings import Code

HOST = "registry.test:5000"


@pytest.mark.parametrize(
    ("tls", "location"),
    [
        (True, f"https://{HOST}/v2/a/blobs/uploads/1"),
        (False, f"http://{HOST}/v2/a/blobs/uploads/1"),
        (True, "/v2/a/blobs/uploads/1"),
    ],
)
def test_upload_on_the_same_scheme_and_host_is_sound(tls: bool, location: str) -> None:
    assert checks.stays_put(HOST, tls, location) == ()


@pytest.mark.parametrize(
    "location", [f"http://{HOST}/v2/a/blobs/uploads/1", "https://10.0.0.1/v2/a/blobs/uploads/1"]
)
def test_upload_that_leaves_scheme_or_host_is_found(location: str) -> None:
    (finding,) = checks.stays_put(HOST, True, location)

    assert (finding.code, finding.subject) == (Code.UPLOAD_LOCATION, HOST)


def test_unmet_conditions_are_found() -> None:
    (finding,) = checks.runtime_ready("node-1", {"NetworkReady": "cni: no configuration"})

    assert (finding.code, finding.subject) == (Code.RUNTIME_NOT_READY, "node-1")
    assert finding.evidence == "NetworkReady: cni: no configuration"


def test_ready_runtime_leaves_nothing_to_find() -> None:
    assert checks.runtime_ready("node-1", {}) == ()
