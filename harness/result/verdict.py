"""The verdict of a run: the worst that happened, and never passed without proof."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.result.model import Counts, ExitCode, Result, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.result.model import CheckRecord, RunFacts


def exit_code_of(verdict: Verdict) -> ExitCode:
    """Return the exit status that stands for a verdict."""
    return ExitCode[verdict.name]


def verdict_of(facts: RunFacts, checks: Sequence[CheckRecord]) -> Verdict:
    """Judge a run: failed > interrupted > error > inconclusive > empty > not_verified > passed.

    What was proven broken stays proven, so `failed` comes first. A run without one passed
    check is `empty`. A check that is not verified, or a target that nothing measured, keeps a
    run from passing unless it is waived.
    """
    statuses = {check.status for check in checks}
    unmeasured = any(not target.waived for target in facts.not_measured)
    unproven = unmeasured or any(is_blocking(check) for check in checks)
    rules = (
        (Status.FAILED in statuses, Verdict.FAILED),
        (facts.interrupted, Verdict.INTERRUPTED),
        (Status.ERROR in statuses or bool(facts.errors), Verdict.ERROR),
        (Status.INCONCLUSIVE in statuses, Verdict.INCONCLUSIVE),
        (Status.PASSED not in statuses, Verdict.EMPTY),
        (unproven, Verdict.NOT_VERIFIED),
    )
    return next((verdict for applies, verdict in rules if applies), Verdict.PASSED)


def is_blocking(check: CheckRecord) -> bool:
    """Whether a check stayed unverified although the scenario does not waive it."""
    return check.status is Status.NOT_VERIFIED and not check.waived


def conclude(facts: RunFacts, checks: Sequence[CheckRecord]) -> Result:
    """Join the facts of a run and its checks, in any order, to the result."""
    counted = Counter(check.status for check in checks)
    verdict = verdict_of(facts, checks)
    return Result(
        verdict=verdict,
        exit_code=exit_code_of(verdict),
        counts=Counts(
            passed=counted[Status.PASSED],
            failed=counted[Status.FAILED],
            error=counted[Status.ERROR],
            inconclusive=counted[Status.INCONCLUSIVE],
            not_verified=counted[Status.NOT_VERIFIED],
        ),
        run_id=facts.run_id,
        scenario=facts.scenario,
        started=facts.started,
        ended=facts.ended,
        interrupted=facts.interrupted,
        phases=facts.phases,
        environment=facts.environment,
        not_measured=facts.not_measured,
        errors=facts.errors,
        notes=facts.notes,
        checks=tuple(sorted(checks, key=lambda check: (check.id, check.started))),
    )
