from __future__ import annotations

from xml.etree import ElementTree as ET

from harness.findings import Code, Finding
from harness.report.junit import junit_xml
from harness.result.model import Result, Status
from harness.result.verdict import conclude
from tests.harness.result.samples import check, everything, facts


def parsed(result: Result) -> ET.Element:
    root = ET.fromstring(junit_xml(result))  # noqa: S314 - our own text
    suite = root.find("testsuite")
    assert suite is not None
    return suite


def cases(result: Result) -> dict[str, ET.Element]:
    return {
        f"{case.get('classname')}.{case.get('name')}": case
        for case in parsed(result).findall("testcase")
    }


def outcome(case: ET.Element) -> tuple[str, str | None]:
    found = [element for element in case if element.tag != "properties"]
    return (found[0].tag, found[0].get("type")) if found else ("passed", None)


def test_statuses_stay_apart() -> None:
    assert {name: outcome(case) for name, case in cases(everything()).items()} == {
        "latency.cold-pull": ("failure", "target-missed"),
        "latency.memory": ("error", "inconclusive"),
        "trust.client-certificate": ("skipped", "not_verified"),
        "trust.expired-refused": ("failure", "wrong-reason"),
        "trust.mirror-order": ("error", "error"),
        "trust.plain-http": ("skipped", "not_verified"),
        "trust.private-ca-accepted": ("passed", None),
        "run.error-1": ("error", "error"),
        "target.warm_pull_p95_seconds": ("skipped", "not_verified"),
    }


def test_suite_counts_its_cases() -> None:
    suite = parsed(everything())

    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "9", "failures": "2", "errors": "3", "skipped": "3"}
    assert suite.get("timestamp") == "2027-01-15T08:00:00+00:00"


def test_id_status_and_code_are_properties() -> None:
    case = cases(everything())["trust.expired-refused"]

    properties = {item.get("name"): item.get("value") for item in case.iter("property")}
    assert properties == {
        "id": "trust.expired-refused",
        "status": "failed",
        "code": "wrong-reason",
    }


def test_all_findings_are_in_the_body() -> None:
    failure = cases(everything())["trust.expired-refused"].find("failure")

    assert failure is not None
    assert "renew the certificate" in (failure.text or "")
    assert "pull-accepted at node-1" in (failure.text or "")


def test_characters_that_xml_cannot_hold_do_not_spoil_the_file() -> None:
    hostile = Finding(Code.PULL_FAILED, "node-1", "a\x00\x1b\ufffe]]><b>")
    failed = check("trust.a", Status.FAILED, findings=(hostile,))

    failure = cases(conclude(facts(), [failed]))["trust.a"].find("failure")

    assert failure is not None
    assert "a\ufffd\ufffd\ufffd]]><b>" in (failure.text or "")


def test_failed_check_without_findings_gives_its_reason() -> None:
    failed = check(status=Status.FAILED).model_copy(
        update={"findings": (), "code": "", "reason": "AssertionError: no"}
    )

    failure = cases(conclude(facts(), [failed]))[failed.id].find("failure")

    assert failure is not None
    assert (failure.get("type"), failure.text) == ("failed", "AssertionError: no")
