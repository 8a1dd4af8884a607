"""What a scenario accepts as unverified: a check by its id, or all that needs an ability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.result.model import Status
from harness.scenario.rules import MEASURED_WITH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.result.model import CheckRecord
    from harness.scenario.model import Measure, Waiver


def waived(identity: str, status: Status, waivers: Iterable[Waiver], *, lacking: str = "") -> str:
    """Return why the scenario accepts that a check stays unverified, empty if it does not.

    `lacking` is the ability for lack of which the check could not run, empty for another reason.
    """
    if status is not Status.NOT_VERIFIED:
        return ""
    reasons = (
        waiver.reason
        for waiver in waivers
        if waiver.check == identity or (waiver.ability is not None and waiver.ability == lacking)
    )
    return next(reasons, "")


def waived_measures(
    records: Collection[CheckRecord], waivers: Iterable[Waiver]
) -> dict[Measure, str]:
    """Return what this run cannot measure and need not, with the scenario's reason.

    That is a measure which takes an ability that is waived and that a check has missed: where
    the ability is there, a measure stays due.
    """
    missed = {record.lacking for record in records}
    reasons = {waiver.ability: waiver.reason for waiver in waivers if waiver.ability in missed}
    return {
        measure: reasons[ability]
        for measure, ability in MEASURED_WITH.items()
        if ability in reasons
    }


def stale_waivers(records: Iterable[CheckRecord], waivers: Iterable[Waiver]) -> tuple[str, ...]:
    """Return ids of waived checks that need no waiver: verified, or no such check.

    Abilities are waived for systems that may lack them, so they never count.
    """
    unverified = {record.id for record in records if record.status is Status.NOT_VERIFIED}
    return tuple(
        waiver.check
        for waiver in waivers
        if waiver.check is not None and waiver.check not in unverified
    )
