"""Every check turns red when what it guards against has happened, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.recorder import check_id
from harness import command
from harness.machine import CHECKOUT
from harness.result.model import Status, Verdict
from tests.acceptance_runs import pytest_command, run_acceptance
from tests.kubernetes.sabotage.cases import CASES as KUBERNETES_CASES
from tests.sabotage import integrity_cases, latency_cases, pull_secrets_cases, trust_cases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sabotage.case import Case

SCENARIO = CHECKOUT / "tests/sabotage/scenario.yaml"
CASES = {
    case.name: case
    for module in (trust_cases, pull_secrets_cases, latency_cases, integrity_cases)
    for case in module.CASES
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_sabotage_turns_exactly_the_right_checks_red(case: Case, tmp_path: Path) -> None:
    run = run_acceptance(
        tmp_path / "results",
        f"suites/{case.suite}",
        *("--scenario", SCENARIO),
        *("-p", "tests.sabotage.saboteur", "--sabotage", case.name),
    )
    assert run.unproven() == {**case.turns_red, **case.leaves_open}, run.output
    result = run.conclusion()
    (expected,) = [Status.FAILED] if case.turns_red else set(case.leaves_open.values())
    assert result.verdict == Verdict(expected)
    reasons = {check.id: check.reason for check in result.checks}
    assert all(case.reason in reasons[check] for check in case.leaves_open)
    subjects = {finding.subject for check in result.checks for finding in check.findings}
    assert subjects == case.subjects


def test_healthy_lab_turns_nothing_red(tmp_path: Path) -> None:
    run = run_acceptance(tmp_path / "results", "suites", "--scenario", SCENARIO)
    assert run.unproven() == {}, run.output
    assert run.conclusion().verdict is Verdict.PASSED


def test_every_check_has_a_sabotage(tmp_path: Path) -> None:
    collected = command.run(
        pytest_command(tmp_path, "suites", "--scenario", SCENARIO, "--collect-only", "-q"),
        timeout_seconds=60,
        directory=CHECKOUT,
    )
    lines = [line for line in collected.text.splitlines() if "::" in line]
    assert lines
    red = {check for case in CASES.values() for check in case.turns_red}
    on_kind = {check for case in KUBERNETES_CASES.values() for check in case.red_ids}
    assert {check_id(line) for line in lines} - red - on_kind == set()
