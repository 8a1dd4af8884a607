from __future__ import annotations

import pytest

from harness import checks, oci
from harness.diagnosis import FailureCode
from harness.findings import Code, Inconclusive
from tests.harness.checks.parts import pull

EXPIRED = FailureCode.TLS_EXPIRED


def test_successful_pulls_leave_nothing_to_find() -> None:
    assert checks.all_succeeded([pull("node-1"), pull("node-2")]) == ()


def test_node_that_could_not_pull_is_named_with_the_runtimes_words() -> None:
    (finding,) = checks.all_succeeded([pull("node-1"), pull("node-2", EXPIRED)])

    assert (finding.code, finding.subject) == (Code.PULL_FAILED, "node-2")
    assert "tls-expired: the runtime's own words" in finding.evidence
    assert finding.remedy == "change the node"


def test_expected_refusal_leaves_nothing_to_find() -> None:
    refusals = [pull("node-1", EXPIRED), pull("node-2", FailureCode.TLS_UNKNOWN_CA)]

    assert checks.all_refused(refusals, EXPIRED, FailureCode.TLS_UNKNOWN_CA) == ()


def test_accepted_pull_is_found() -> None:
    (finding,) = checks.all_refused([pull("node-1", EXPIRED), pull("node-2")], EXPIRED)

    assert (finding.code, finding.subject) == (Code.PULL_ACCEPTED, "node-2")
    assert "must be refused: tls-expired" in finding.evidence


def test_refusal_for_another_reason_shows_both_and_the_runtimes_words() -> None:
    (finding,) = checks.all_refused([pull("node-1", FailureCode.TIMEOUT)], EXPIRED)

    assert (finding.code, finding.subject) == (Code.WRONG_REASON, "node-1")
    assert "expected tls-expired, got timeout: the runtime's own words" in finding.evidence


def test_other_image_than_the_pushed_one_is_found() -> None:
    image = oci.image(layers=1, layer_bytes=16)
    right = pull("node-1", image_id=image.config.digest)

    (finding,) = checks.is_image([right, pull("node-2"), pull("node-3", EXPIRED)], image)

    assert (finding.code, finding.subject) == (Code.WRONG_BYTES, "node-2")
    assert image.config.digest in finding.evidence


def test_image_that_a_pod_names_by_its_manifest_is_the_pushed_one() -> None:
    image = oci.image(layers=1, layer_bytes=16)
    right = pull("node-1", image_id=f"r.test:5000/a@{image.digest}")
    wrong = pull("node-2", image_id=f"r.test:5000/a@{image.layers[0].digest}")

    assert [finding.subject for finding in checks.is_image([right, wrong], image)] == ["node-2"]


def test_no_pull_at_all_is_inconclusive() -> None:
    with pytest.raises(Inconclusive):
        checks.all_succeeded([])
    with pytest.raises(Inconclusive):
        checks.all_refused([], EXPIRED)
    with pytest.raises(Inconclusive):
        checks.is_image([], oci.image(layers=1, layer_bytes=16))
