from __future__ import annotations

import pytest

from harness import checks
from harness.findings import Code, Inconclusive
from harness.history import Operation, Outcome
from harness.monitoring.protocols import Sample, Target
from tests.harness.checks.parts import NODES, request

HOST = "registry.test:5000"
IMAGE = f"{HOST}/app/one:v1"
LAYER = "sha256:aa"


def sample(handler: str, method: str, code: str, value: float) -> Sample:
    labels = {"handler": handler, "method": method, "code": code, "registry": "primary"}
    return Sample(labels, value)


def action(name: str, value: float) -> Sample:
    return Sample({"action": name, "driver": "filesystem"}, value)


def pulled(node: str, outcome: Outcome = Outcome.OK, reference: str = IMAGE) -> Operation:
    return Operation(
        kind="pull",
        actor=node,
        reference=reference,
        started=1,
        ended=2,
        duration_seconds=1,
        outcome=outcome,
        digest="",
        transferred_bytes=0,
        cause="",
    )


def test_registry_that_cannot_be_scraped_is_found() -> None:
    (finding,) = checks.is_scraped(HOST, Target("primary", "connection refused", 1.0))

    assert finding.code is Code.METRICS
    assert "connection refused" in finding.evidence
    assert checks.is_scraped(HOST, Target("primary", "", 1.0)) == ()


REQUESTS = (
    request("a", 200, path="/v2/"),
    request("a", 200, path="/v2/_catalog"),
    request("a", 200, path="/v2/app/tags/list"),
    request("a", 404, method="HEAD", path="/v2/app/manifests/v2"),
    request("a", 201, method="PUT", path="/v2/app/manifests/v1"),
    request("a", 202, method="POST", path="/v2/app/blobs/uploads/"),
    request("a", 201, method="PUT", path="/v2/app/blobs/uploads/some-id"),
    request("a", 200, path=f"/v2/app/blobs/{LAYER}"),
    request("b", 200, path=f"/v2/app/blobs/{LAYER}"),
    request("b", 500, path="/v2/app/manifests/v1"),
)
BEFORE = (sample("blob", "get", "200", 5), sample("base", "get", "401", 3))
AFTER = (
    sample("base", "get", "401", 3),
    sample("base", "get", "200", 1),
    sample("catalog", "get", "200", 1),
    sample("tags", "get", "200", 1),
    sample("manifest", "head", "404", 1),
    sample("manifest", "put", "201", 1),
    sample("blob_upload", "post", "202", 1),
    sample("blob_upload_chunk", "put", "201", 1),
    sample("blob", "get", "200", 7),
    sample("manifest", "get", "500", 1),
)


def test_counters_that_moved_as_the_log_tells_are_sound() -> None:
    assert checks.counted_requests(HOST, BEFORE, AFTER, REQUESTS) == ()


def test_counter_that_never_moves_is_found() -> None:
    findings = checks.counted_requests(HOST, BEFORE, BEFORE, REQUESTS)

    assert {finding.code for finding in findings} == {Code.METRICS}
    assert "blob get 200: counted 0, logged 2" in {finding.evidence for finding in findings}


def test_request_that_is_not_logged_is_found() -> None:
    (finding,) = checks.counted_requests(HOST, BEFORE, AFTER, REQUESTS[:8] + REQUESTS[9:])

    assert finding.evidence == "blob get 200: counted 2, logged 1"


def test_window_without_errors_proves_too_little() -> None:
    with pytest.raises(Inconclusive, match="nothing with 5xx"):
        checks.counted_requests(HOST, BEFORE, AFTER, REQUESTS[:-1])


def test_counter_that_moves_by_itself_is_found() -> None:
    (finding,) = checks.stood_still(HOST, BEFORE, (*BEFORE, sample("tags", "get", "200", 2)))

    assert finding.evidence == "tags get 200 moved by 2 with no request"
    assert checks.stood_still(HOST, AFTER, AFTER) == ()


def test_push_must_have_written() -> None:
    (finding,) = checks.wrote(HOST, [action("Stat", 1)], [action("Stat", 9)])

    assert finding.code is Code.METRICS
    assert checks.wrote(HOST, [], [action("PutContent", 4)]) == ()


def test_pull_must_have_read_and_nothing_else() -> None:
    assert checks.only_read(HOST, [], [action("Reader", 4)]) == ()
    (silent,) = checks.only_read(HOST, [], [])
    assert silent.evidence == "a pull moved no counter of reading"
    (written,) = checks.only_read(HOST, [], [action("Reader", 4), action("Writer", 2)])
    assert written.evidence == "a pull moved the counter of Writer by 2"


LOGGED = (
    request("10.0.0.1", 200, method="HEAD", path="/v2/app/one/manifests/v1"),
    request("10.0.0.1", 200, path=f"/v2/app/one/blobs/{LAYER}"),
    request("10.0.0.2", 401, method="HEAD", path="/v2/app/one/manifests/v1"),
)
BLOBS = {IMAGE: [LAYER]}
CLIENTS = {node.name: node.address for node in NODES}


def test_pulls_that_are_logged_are_accounted_for() -> None:
    pulls = [pulled("node-1"), pulled("node-2", Outcome.FAILED)]

    assert checks.accounts_for(HOST, pulls, BLOBS, LOGGED, CLIENTS) == ()


@pytest.mark.parametrize(
    ("pull", "missing"),
    [
        (pulled("node-2"), ["its manifest, answered with 2xx", LAYER]),
        (pulled("node-1", Outcome.FAILED), ["its manifest, answered with 4xx"]),
    ],
)
def test_pull_that_is_not_logged_is_found(pull: Operation, missing: list[str]) -> None:
    findings = checks.accounts_for(HOST, [pull], BLOBS, LOGGED, CLIENTS)

    assert [finding.evidence.rpartition("lacks ")[2] for finding in findings] == missing
    assert {finding.code for finding in findings} == {Code.ACCESS_LOG}


def test_pulls_behind_a_load_balancer_are_each_accounted_for() -> None:
    pulls, behind = [pulled("node-1"), pulled("node-2")], dict.fromkeys(CLIENTS, "10.0.0.1")

    assert checks.accounts_for(HOST, pulls, BLOBS, LOGGED * 2, behind) == ()
    findings = checks.accounts_for(HOST, pulls, BLOBS, (*LOGGED, LOGGED[0]), behind)

    assert [finding.evidence for finding in findings] == [
        f"node-2 pulled {IMAGE} (ok), but its log lacks {LAYER}"
    ]


@pytest.mark.parametrize("pulls", [[], [pulled("node-1", reference=f"{HOST}/other:v1")]])
def test_nothing_recorded_proves_nothing(pulls: list[Operation]) -> None:
    with pytest.raises(Inconclusive, match="no pull was recorded"):
        checks.accounts_for(HOST, pulls, BLOBS, LOGGED, CLIENTS)


def test_alert_in_another_state_is_found() -> None:
    (finding,) = checks.alert_is(HOST, "RegistryDown", "firing", "pending")

    assert finding.code is Code.ALERTS
    assert finding.evidence == "RegistryDown is pending, it must be firing"
    assert checks.alert_is(HOST, "RegistryDown", "firing", "firing") == ()


def test_refusal_of_promtool_is_told_in_its_words() -> None:
    (finding,) = checks.tool_agrees("rules.yaml", 1, "\n  FAILED: bad expression\n")

    assert (finding.subject, finding.evidence) == ("rules.yaml", "FAILED: bad expression")
    assert checks.tool_agrees("rules.yaml", 0, "") == ()
