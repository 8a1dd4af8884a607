from __future__ import annotations

import itertools

import pytest

from harness.result.model import ExitCode, Status, UnmeasuredTarget, Verdict
from harness.result.verdict import conclude, exit_code_of, is_blocking, verdict_of
from tests.harness.result.samples import check, facts

TARGET = UnmeasuredTarget(measure="warm_pull_p95_seconds", max=1.0)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([Status.PASSED], Verdict.PASSED),
        ([Status.PASSED, Status.NOT_VERIFIED], Verdict.NOT_VERIFIED),
        ([Status.NOT_VERIFIED], Verdict.EMPTY),
        ([], Verdict.EMPTY),
        ([Status.PASSED, Status.NOT_VERIFIED, Status.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Status.INCONCLUSIVE, Status.ERROR, Status.PASSED], Verdict.ERROR),
        ([Status.ERROR, Status.FAILED, Status.INCONCLUSIVE], Verdict.FAILED),
    ],
)
def test_verdict_is_the_worst_status(statuses: list[Status], verdict: Verdict) -> None:
    checks = [check(f"trust.number-{number}", s) for number, s in enumerate(statuses)]

    for order in itertools.permutations(checks):
        assert verdict_of(facts(), order) is verdict


def test_target_that_nothing_measured_keeps_a_run_from_passing() -> None:
    assert verdict_of(facts(not_measured=(TARGET,)), [check()]) is Verdict.NOT_VERIFIED


def test_target_that_need_not_be_measured_does_not_block() -> None:
    excused = TARGET.model_copy(update={"waived": "no kubelet here"})

    assert verdict_of(facts(not_measured=(excused,)), [check()]) is Verdict.PASSED
    assert verdict_of(facts(not_measured=(excused, TARGET)), [check()]) is Verdict.NOT_VERIFIED


def test_error_of_the_run_keeps_it_from_passing() -> None:
    assert verdict_of(facts(errors=("teardown failed",)), [check()]) is Verdict.ERROR


def test_interrupted_run_has_not_passed() -> None:
    assert verdict_of(facts(interrupted=True), [check()]) is Verdict.INTERRUPTED


def test_failure_of_an_interrupted_run_stays_a_failure() -> None:
    broken = check(status=Status.FAILED)

    assert verdict_of(facts(interrupted=True), [broken]) is Verdict.FAILED


def test_waived_check_does_not_block() -> None:
    waived = check("trust.plain-http", Status.NOT_VERIFIED, waived="we run no plain registry")

    assert not is_blocking(waived)
    assert verdict_of(facts(), [check(), waived]) is Verdict.PASSED


def test_run_of_waived_checks_alone_is_empty() -> None:
    waived = check("trust.plain-http", Status.NOT_VERIFIED, waived="we run no plain registry")

    assert verdict_of(facts(), [waived]) is Verdict.EMPTY


def test_every_verdict_has_its_own_exit_code() -> None:
    codes = {exit_code_of(verdict) for verdict in Verdict}

    assert len(codes) == len(Verdict)
    assert ExitCode.USAGE not in codes
    assert exit_code_of(Verdict.PASSED) == 0


def test_checks_are_counted_and_sorted() -> None:
    result = conclude(
        facts(), [check("trust.b"), check("trust.a"), check("trust.c", Status.NOT_VERIFIED)]
    )

    assert [record.id for record in result.checks] == ["trust.a", "trust.b", "trust.c"]
    assert (result.counts.passed, result.counts.not_verified) == (2, 1)
    assert result.exit_code is ExitCode.NOT_VERIFIED
