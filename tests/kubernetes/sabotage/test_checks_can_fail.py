"""Every check on the kubelet's path turns red when what it guards against has happened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fixtures.recorder import check_id
from harness import command
from harness.machine import CHECKOUT
from harness.result.model import Status, Verdict
from tests.acceptance_runs import pytest_command, run_acceptance
from tests.kubernetes.sabotage.cases import CASES
from tests.provided_lab import attaching

if TYPE_CHECKING:
    from pathlib import Path

    from harness.lab import Lab
    from tests.kubernetes.sabotage.case import Case

SCENARIO = CHECKOUT / "tests/kubernetes/sabotage/scenario.yaml"
SUITE = "suites/kubelet"
RANDOM_PART = re.compile("-[0-9a-f]{8}$")
SIZE = re.compile("-[0-9]+mib$")


@pytest.fixture(scope="module")
def attach(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[str | Path, ...]:
    """The arguments of runs on the one lab that is broken and healed in turn."""
    return attaching(lab, SCENARIO, tmp_path_factory.mktemp("lab"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_sabotage_turns_exactly_the_right_checks_red(
    case: Case, lab: Lab, attach: tuple[str | Path, ...], tmp_path: Path
) -> None:
    with case.broken(lab):
        run = run_acceptance(
            tmp_path / "results",
            *(f"suites/{case.suite}", *attach, "-k", " or ".join(map(_function, case.checks))),
            *("-p", "tests.kubernetes.sabotage.saboteur", "--sabotage", case.name),
        )
    expected = {**case.turns_red, **case.leaves_open}
    assert run.unproven() == {f"{case.suite}.{check}": told for check, told in expected.items()}, (
        run.output
    )
    result = run.conclusion()
    assert result.verdict is (Verdict.FAILED if case.turns_red else Verdict.INCONCLUSIVE)
    passed = {check.id for check in result.checks if check.status is Status.PASSED}
    assert passed == {f"{case.suite}.{check}" for check in case.checks if check not in expected}
    subjects = {finding.subject for check in result.checks for finding in check.findings}
    assert {_stable(subject, lab) for subject in subjects} == case.subjects


def test_healed_lab_turns_nothing_red(attach: tuple[str | Path, ...], tmp_path: Path) -> None:
    run = run_acceptance(tmp_path / "results", SUITE, "suites/latency", "suites/ha", *attach)

    assert run.unproven() == {}, run.output
    assert run.conclusion().verdict is Verdict.PASSED


def test_every_check_has_a_sabotage(tmp_path: Path) -> None:
    collected = command.run(
        pytest_command(tmp_path, SUITE, "--scenario", SCENARIO, "--collect-only", "-q"),
        timeout_seconds=60,
        directory=CHECKOUT,
    )
    lines = [line for line in collected.text.splitlines() if "::" in line]
    assert lines
    red = {check for case in CASES.values() for check in case.red_ids}
    assert {check_id(line) for line in lines} - red == set()


def _stable(subject: str, lab: Lab) -> str:
    """Return a name without what is random in it: its last part, or the cluster that it is of."""
    return RANDOM_PART.sub("", subject.removeprefix(f"{lab.handle.folder.name}-"))


def _function(check: str) -> str:
    return "test_" + SIZE.sub("", check).replace("-", "_")
