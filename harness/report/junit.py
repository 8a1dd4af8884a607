"""JUnit XML of a result: the five statuses stay apart, ids and codes travel as properties.

pytest's own file knows neither `inconclusive` nor codes, and calls a broken harness a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.report.words import STATUS_WORDS, printable, target_words, total_seconds, why
from harness.result.model import Status

if TYPE_CHECKING:
    from harness.result.model import CheckRecord, Result

_ELEMENTS = {
    Status.FAILED: "failure",
    Status.ERROR: "error",
    Status.INCONCLUSIVE: "error",
    Status.NOT_VERIFIED: "skipped",
}


def junit_xml(result: Result) -> str:
    """Render a result.

    Errors of the run and targets that nothing measured are test cases too, so that a reader of
    this file alone never takes the run for a passed one.
    """
    cases = [_case(check) for check in result.checks]
    cases += [_extra("run", f"error-{n}", "error", e) for n, e in enumerate(result.errors, 1)]
    cases += [
        _extra("target", target.measure, "skipped", f"not measured: {target_words(target)}")
        for target in result.not_measured
    ]
    suite = ET.Element(
        "testsuite",
        name=result.scenario.name,
        tests=str(len(cases)),
        failures=_count(cases, "failure"),
        errors=_count(cases, "error"),
        skipped=_count(cases, "skipped"),
        time=f"{total_seconds(result):.3f}",
        timestamp=result.started.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
    )
    _properties(suite, run_id=result.run_id, verdict=result.verdict)
    suite.extend(cases)
    root = ET.Element("testsuites", name="pullproof")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(check: CheckRecord) -> ET.Element:
    name = check.id.partition(".")[2]
    case = ET.Element(
        "testcase",
        classname=check.capability,
        name=name,
        time=f"{check.duration_seconds:.3f}",
    )
    _properties(case, id=check.id, status=check.status, code=check.code)
    if check.status is not Status.PASSED:
        message = str(check.findings[0]) if check.findings else why(check)
        body = "\n".join(map(str, check.findings)) or message
        kind = check.code or check.status
        _outcome(case, _ELEMENTS[check.status], kind, message, body)
    return case


def _extra(classname: str, name: str, element: str, message: str) -> ET.Element:
    """Make a case for what belongs to no check."""
    case = ET.Element("testcase", classname=classname, name=name, time="0.000")
    kind = STATUS_WORDS[Status.ERROR] if element == "error" else Status.NOT_VERIFIED
    _outcome(case, element, kind, message, message)
    return case


def _outcome(case: ET.Element, element: str, kind: str, message: str, body: str) -> None:
    first_line = printable(message).split("\n")[0]
    ET.SubElement(case, element, type=kind, message=first_line).text = printable(body)


def _properties(parent: ET.Element, **properties: str) -> None:
    holder = ET.SubElement(parent, "properties")
    for name, value in properties.items():
        ET.SubElement(holder, "property", name=name, value=value)


def _count(cases: list[ET.Element], element: str) -> str:
    return str(sum(case.find(element) is not None for case in cases))
