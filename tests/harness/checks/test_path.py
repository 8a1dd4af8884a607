from __future__ import annotations

import pytest

from harness import checks
from harness.findings import Code, Inconclusive
from harness.secret import Credentials, Secret
from tests.harness.checks.parts import NODES, REPOSITORY, request

ONE, TWO = (node.address for node in NODES)
HOST = "mirror.test:5000"
PULLER = Credentials("puller", Secret("canary"))


def test_content_served_to_every_node_proves_the_path() -> None:
    log = [request(ONE, 401), request(ONE), request(TWO, 206)]

    assert checks.served_by(log, REPOSITORY, NODES) == ()


@pytest.mark.parametrize(
    "other",
    [
        request(TWO, method="HEAD"),
        request(TWO, 404),
        request(TWO, path="/v2/trust/app-other/blobs/sha256:aa"),
        request("10.0.0.9"),
    ],
)
def test_node_without_content_from_the_host_is_found(other: object) -> None:
    assert isinstance(other, type(request(ONE)))
    (finding,) = checks.served_by([request(ONE), other], REPOSITORY, NODES)

    assert (finding.code, finding.subject) == (Code.WRONG_PATH, "node-2")


def test_evidence_tells_what_the_node_asked_instead() -> None:
    asked = [request(TWO, 404, path=f"/v2/{REPOSITORY}/manifests/v{n}") for n in range(5)]

    few, none = (checks.served_by(log, REPOSITORY, NODES)[-1].evidence for log in (asked, []))

    assert f"GET /v2/{REPOSITORY}/manifests/v0 -> 404" in few
    assert "and 2 more" in few
    assert "it did not ask at all" in none


def test_host_that_served_against_the_order_is_found() -> None:
    (finding,) = checks.not_served_by(HOST, [request(ONE), request(TWO, 404)], REPOSITORY, NODES)

    assert (finding.code, finding.subject) == (Code.WRONG_PATH, "node-1")
    assert HOST in finding.evidence


def test_question_to_a_later_mirror_is_found() -> None:
    (finding,) = checks.not_asked(HOST, [request(TWO, 404)], REPOSITORY, NODES)

    assert (finding.code, finding.subject) == (Code.WRONG_PATH, "node-2")


def test_node_that_did_not_ask_or_was_not_answered_well_is_found() -> None:
    asked = request(ONE, method="HEAD")

    assert [each.subject for each in checks.asked(HOST, [asked], REPOSITORY, NODES)] == ["node-2"]
    assert checks.asked(HOST, [asked, request(TWO, 401)], REPOSITORY, NODES)
    assert checks.asked(HOST, [asked, request(TWO)], REPOSITORY, NODES) == ()


def test_mirror_that_was_asked_in_vain_leaves_nothing_to_find() -> None:
    log = [request(ONE, 404), request(TWO, 404)]

    assert checks.asked_in_vain(HOST, log, REPOSITORY, NODES) == ()


def test_mirror_that_was_passed_over_or_served_is_found() -> None:
    found = checks.asked_in_vain(HOST, [request(ONE, 404), request(ONE)], REPOSITORY, NODES)

    assert [(finding.subject, finding.code) for finding in found] == [
        ("node-2", Code.WRONG_PATH),
        ("node-1", Code.WRONG_PATH),
    ]
    assert "never answered 401, 403, 404" in found[0].evidence


def test_mirror_that_refuses_all_nodes_leaves_nothing_to_find() -> None:
    log = [request(ONE, 401), request(TWO, 403)]

    assert checks.refused_by(HOST, log, REPOSITORY, NODES) == ()


def test_mirror_that_serves_instead_of_refusing_is_found() -> None:
    found = checks.refused_by(HOST, [request(ONE, 401), request(TWO)], REPOSITORY, NODES)

    assert [finding.subject for finding in found] == ["node-2", "node-2"]
    assert "never answered 401, 403" in found[0].evidence


def test_requests_that_name_the_origin_leave_nothing_to_find() -> None:
    log = [request(ONE, namespace="origin.test"), request(TWO, namespace="origin.test")]

    assert checks.names_origin(log, REPOSITORY, "origin.test", NODES) == ()


def test_requests_without_the_origin_are_found() -> None:
    found = checks.names_origin([request(ONE)], REPOSITORY, "origin.test", NODES)

    assert [finding.subject for finding in found] == ["node-1", "node-2"]
    assert "got (none)" in found[0].evidence
    assert "got no request" in found[1].evidence


def test_content_served_to_the_right_user_leaves_nothing_to_find() -> None:
    log = [request(ONE, user="puller"), request(TWO, 401)]

    assert checks.served_to_user(log, REPOSITORY, PULLER, NODES) == ()


def test_node_that_was_served_as_another_user_is_found() -> None:
    log = [request(ONE, user="puller"), request(TWO), request(TWO, user="other")]

    (finding,) = checks.served_to_user(log, REPOSITORY, PULLER, NODES)

    assert (finding.code, finding.subject) == (Code.WRONG_PATH, "node-2")
    assert "user (none), other, expected puller" in finding.evidence


@pytest.mark.parametrize("credentials", [PULLER, None])
def test_nothing_served_tells_no_user(credentials: Credentials | None) -> None:
    log = [] if credentials else [request(ONE)]

    with pytest.raises(Inconclusive):
        checks.served_to_user(log, REPOSITORY, credentials, NODES)


def test_blobs_that_a_node_did_not_fetch_are_named() -> None:
    log = [
        request(ONE, path=f"/v2/{REPOSITORY}/blobs/sha256:aa"),
        request(ONE, path=f"/v2/{REPOSITORY}/blobs/sha256:bb", method="HEAD"),
        request(TWO, path=f"/v2/{REPOSITORY}/blobs/sha256:bb"),
    ]

    assert checks.not_fetched(log, ["sha256:aa", "sha256:bb"], NODES[0]) == ("sha256:bb",)
    assert checks.not_fetched(log, ["sha256:aa"], NODES[0]) == ()
