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


@pytest.mark.parametrize(
    ("tls", "redirect"),
    [(True, ""), (True, "https://s3.test/a"), (True, "/elsewhere"), (False, "http://s3.test/a")],
)
def test_redirect_that_keeps_tls_is_sound(tls: bool, redirect: str) -> None:
    assert checks.keeps_tls("ha-1", tls, redirect) == ()


def test_redirect_to_plain_http_is_found() -> None:
    [found] = checks.keeps_tls("ha-1", True, "http://s3.test/a")

    assert (found.code, found.subject) == (Code.BLOB_REDIRECT, "ha-1")
    assert "http://s3.test/a" in found.evidence
