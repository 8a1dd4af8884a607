from __future__ import annotations

from harness.findings import Code, Finding
from harness.report.markdown import markdown
from harness.result.model import Status
from harness.result.verdict import conclude
from tests.harness.result.samples import check, everything, facts


def test_summary_names_verdict_worst_checks_and_figures() -> None:
    text = markdown(everything())

    assert text.startswith("## production-like: failed\n")
    assert "1 passed, 2 failed, 1 error, 1 inconclusive, 2 not verified in 42.50 s" in text
    assert "| trust.expired-refused | failed | wrong-reason | node-3\\: expected" in text
    assert (
        "| cold\\_pull\\_p95\\_seconds | 10MiB node-2 | 4.50 s | at most 3.00 s | **no** |" in text
    )
    assert "\n- trust.mirror-order: primary killed\\: 20.50 s, 2.00 s into the check\n" in text
    assert "not measured\\: warm\\_pull\\_p95\\_seconds at most 1" in text
    assert "registry" not in text.split("| measured")[1]


def test_passed_run_is_two_sentences() -> None:
    text = markdown(conclude(facts(), [check()]))

    assert len([line for line in text.splitlines() if line]) == 3
    assert "|" not in text


def test_only_the_worst_ten_are_told() -> None:
    checks = [check(f"trust.number-{number}", Status.FAILED) for number in range(13)]

    text = markdown(conclude(facts(), checks))

    assert text.count("| trust.number-") == 10
    assert "and 3 more" in text


def test_foreign_text_is_neither_markup_nor_endless() -> None:
    hostile = Finding(Code.PULL_FAILED, "node-1", "a|b\n\n# <img src=x> [x](y) `z` " + "w" * 500)

    text = markdown(conclude(facts(), [check("trust.a", Status.FAILED, findings=(hostile,))]))

    (row,) = [line for line in text.splitlines() if "trust.a" in line]
    assert "a\\|b \\# \\<img src=x\\> \\[x\\](y) \\`z\\` www" in row
    assert row.endswith("… |")
    assert len(row) < 400
