"""Every check turns red when what it guards against has happened, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.recorder import capability_of, check_id
from harness import command
from harness.machine import CHECKOUT
from harness.result.model import Status, Verdict
from harness.scenario.model import CAPABILITIES
from tests.acceptance_runs import pytest_command, run_acceptance
from tests.kubernetes.sabotage.cases import CASES as KUBERNETES_CASES
from tests.sabotage import (
    backup_cases,
    gc_cases,
    ha_cases,
    integrity_cases,
    latency_cases,
    mirror_cases,
    observability_cases,
    pull_secrets_cases,
    replication_cases,
    resources_cases,
    retention_cases,
    supply_chain_cases,
    trust_cases,
    upgrade_cases,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sabotage.case import Case

CASES = {
    case.name: case
    for module in (
        gc_cases,
        backup_cases,
        retention_cases,
        trust_cases,
        pull_secrets_cases,
        latency_cases,
        integrity_cases,
        replication_cases,
        resources_cases,
        supply_chain_cases,
        mirror_cases,
        upgrade_cases,
        ha_cases,
        observability_cases,
    )
    for case in module.CASES
}
SCENARIOS = sorted({case.scenario for case in CASES.values()})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_sabotage_turns_exactly_the_right_checks_red(case: Case, tmp_path: Path) -> None:
    run = run_acceptance(
        tmp_path / "results",
        *(f"suites/{case.suite}/{part}" for part in case.parts),
        *("--scenario", case.scenario),
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


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.stem)
def test_healthy_lab_turns_nothing_red(scenario: Path, tmp_path: Path) -> None:
    run = run_acceptance(tmp_path / "results", "suites", "--scenario", scenario)
    assert run.unproven() == {}, run.output
    assert run.conclusion().verdict is Verdict.PASSED


def test_every_check_has_a_sabotage(tmp_path: Path) -> None:
    checks = {check for scenario in SCENARIOS for check in _checks_of(scenario, tmp_path)}
    # The kubelet's checks are demanded by the sabotage tests that break a cluster of kind.
    assert {capability_of(check) for check in checks} == set(CAPABILITIES) - {"kubelet"}
    red = {check for case in CASES.values() for check in case.turns_red}
    on_kind = {check for case in KUBERNETES_CASES.values() for check in case.red_ids}
    assert checks - red - on_kind == set()


def _checks_of(scenario: Path, folder: Path) -> set[str]:
    """Return the ids of all checks that a run of a scenario collects."""
    collected = command.run(
        pytest_command(folder, "suites", "--scenario", scenario, "--collect-only", "-q"),
        timeout_seconds=60,
        directory=CHECKOUT,
    )
    return {check_id(line) for line in collected.text.splitlines() if "::" in line}
