from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from harness.findings import Code, Finding
from harness.result.model import CheckRecord, Result, Status, schema_json
from tests.harness.result.samples import COLD_PULL, check, everything

SCHEMA = Path(__file__).parents[3] / "docs" / "result.schema.json"


def test_published_schema_is_current() -> None:
    assert SCHEMA.read_text() == schema_json(), "write it anew: see docs/results.md"


def test_document_follows_the_published_schema() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(everything().to_json()), schema)


def test_document_is_read_back_as_it_was() -> None:
    result = everything()

    assert Result.model_validate_json(result.to_json()) == result


def test_moments_are_written_in_utc() -> None:
    document = json.loads(everything().to_json())
    shifted = dict(document, started="2027-01-15T10:00:00+02:00")

    read = Result.model_validate_json(json.dumps(shifted))

    assert document["started"] == "2027-01-15T08:00:00Z"
    assert read.to_json() == everything().to_json()


def contradicting(**changes: object) -> dict[str, object]:
    record: dict[str, object] = json.loads(check().model_dump_json())
    return record | changes


FINDING = {"code": "pull-failed", "subject": "node-1", "evidence": "refused"}
MISSED = json.loads(COLD_PULL.model_copy(update={"met": False}).model_dump_json())


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (contradicting(findings=[FINDING], code="pull-failed"), "has not passed"),
        (contradicting(measurements=[MISSED]), "has not passed"),
        (contradicting(status="failed"), "needs a finding or a reason"),
        (contradicting(status="failed", findings=[FINDING], code="wrong-path"), "first finding"),
        (contradicting(status="failed", findings=[FINDING]), "first finding"),
        (contradicting(status="error"), "error needs a reason"),
        (contradicting(status="inconclusive"), "inconclusive needs a reason"),
        (contradicting(status="not_verified"), "not_verified needs a reason"),
        (contradicting(id="../escape"), "string_pattern_mismatch"),
        (contradicting(surprise=1), "Extra inputs"),
        (contradicting(duration_seconds="1"), "valid number"),
    ],
)
def test_contradicting_record_is_refused(record: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        CheckRecord.model_validate_json(json.dumps(record))


def test_failed_check_may_give_a_reason_instead_of_findings() -> None:
    record = check(status=Status.FAILED, findings=(Finding(Code.WRONG_PATH, "node-1", "no line"),))
    bare = json.loads(record.model_dump_json()) | {"findings": [], "code": "", "reason": "assert"}

    assert CheckRecord.model_validate_json(json.dumps(bare)).code == ""
