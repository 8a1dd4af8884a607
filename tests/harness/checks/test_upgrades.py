from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness import checks
from harness.findings import Code, Inconclusive
from harness.snapshot import Entrance, ServedManifest, Snapshot

HOST = "registry.test:5000"
TAGGED, BLOB = ("app/one", "v1"), ("app/one", "sha256:layer")
OCI = "application/vnd.oci.image.manifest.v1+json"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
MANIFEST = ServedManifest("sha256:aa", OCI)
BEFORE = Snapshot(frozenset({"app/one"}), {TAGGED: MANIFEST}, {BLOB: "sha256:layer"})


def test_same_content_is_the_same() -> None:
    assert checks.same_served(HOST, BEFORE, BEFORE) == ()


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(Inconclusive, match="served nothing before"):
        checks.same_served(HOST, Snapshot(frozenset(), {}, {}), BEFORE)


@pytest.mark.parametrize(
    ("after", "code", "said"),
    [
        (replace(BEFORE, repositories=frozenset()), Code.LOST_CONTENT, "repository app/one"),
        (replace(BEFORE, manifests={}), Code.LOST_CONTENT, "app/one:v1"),
        (replace(BEFORE, blobs={}), Code.LOST_CONTENT, "app/one@sha256:layer"),
        (
            replace(BEFORE, manifests={TAGGED: ServedManifest("sha256:bb", OCI)}),
            Code.WRONG_BYTES,
            "app/one:v1 is sha256:bb, before it was sha256:aa",
        ),
        (
            replace(BEFORE, manifests={TAGGED: ServedManifest("sha256:aa", "text/plain")}),
            Code.WRONG_BYTES,
            f"app/one:v1 is served as text/plain, before it was {OCI}",
        ),
        (replace(BEFORE, blobs={BLOB: "sha256:x"}), Code.WRONG_BYTES, "the bytes of sha256:x"),
    ],
)
def test_each_difference_is_named(after: Snapshot, code: Code, said: str) -> None:
    for judge in (checks.same_served, checks.still_served):
        (finding,) = judge(HOST, BEFORE, after)

        assert (finding.code, finding.subject) == (code, HOST)
        assert said in finding.evidence
        assert finding.remedy


def test_content_that_appears_is_another_content_only_where_all_must_be_the_same() -> None:
    more = replace(BEFORE, manifests={TAGGED: MANIFEST, ("app/one", "v2"): MANIFEST})

    (finding,) = checks.same_served(HOST, BEFORE, more)

    assert finding.code is Code.WRONG_BYTES
    assert "app/one:v2 is served, which it was not" in finding.evidence
    assert checks.still_served(HOST, BEFORE, more) == ()


def test_lost_manifest_of_schema_1_has_a_remedy_of_its_own() -> None:
    old = replace(BEFORE, manifests={TAGGED: ServedManifest("sha256:aa", SCHEMA_1)})

    (finding,) = checks.same_served(HOST, old, replace(old, manifests={}))

    assert "schema 1" in finding.remedy


def test_strangers_must_meet_the_same() -> None:
    before, after = Entrance("https", 401), Entrance("http", 200)

    (finding,) = checks.same_entrance(HOST, before, after)

    assert finding.code is Code.CONFIGURATION
    assert "with 200 over http, before it was with 401 over https" in finding.evidence
    assert "/etc/distribution/config.yml" in finding.remedy
    assert checks.same_entrance(HOST, before, before) == ()


def test_control_that_shows_nothing_is_inconclusive() -> None:
    configured = Entrance("https", 401)

    checks.ignored_by_default(HOST, configured, Entrance("http", 200))
    with pytest.raises(Inconclusive, match="with 401 over https"):
        checks.ignored_by_default(HOST, configured, configured)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"redis": {"addr": "redis:6379"}}, ["redis.addr"]),
        ({"redis": {"addrs": ["redis:6379"]}}, []),
        ({"redis": {"pool": {"maxidle": 16}}}, ["redis.pool"]),
        ({"compatibility": {"schema1": {"enabled": True}}}, ["compatibility"]),
        ({"reporting": {"bugsnag": {}}}, ["reporting"]),
        ({"storage": {"swift": {}, "oss": None}}, ["storage.oss", "storage.swift"]),
        ({"storage": "filesystem"}, []),
        ({"redis": None}, []),
    ],
)
def test_options_that_are_gone_are_named(document: object, named: list[str]) -> None:
    findings = checks.dropped_options(HOST, json.dumps(document))

    assert [finding.evidence.rpartition(" ")[2] for finding in findings] == named
    assert {finding.code for finding in findings} <= {Code.CONFIGURATION}


def test_values_of_options_are_not_repeated() -> None:
    (finding,) = checks.dropped_options(HOST, "redis: {addr: somewhere, password: hunter2}")

    assert "somewhere" not in str(finding)
    assert "hunter2" not in str(finding)
