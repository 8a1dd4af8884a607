from __future__ import annotations

import pytest

from harness.result.model import Status
from harness.result.waivers import stale_waivers, waived, waived_measures
from harness.scenario.model import Waiver
from harness.scenario.rules import MEASURED_WITH
from tests.harness.result.samples import check

CHECK = "trust.unknown-ca-is-refused"
BY_CHECK = Waiver(check=CHECK, reason="no authority here")
BY_ABILITY = Waiver(ability="KubernetesAccess", reason="no kubelet here")
BOTH = (BY_CHECK, BY_ABILITY)


def test_waiver_of_a_check_excuses_whatever_keeps_it_unverified() -> None:
    assert waived(CHECK, Status.NOT_VERIFIED, BOTH) == "no authority here"
    assert waived(CHECK, Status.NOT_VERIFIED, BOTH, lacking="Restarts") == "no authority here"
    assert waived("trust.other", Status.NOT_VERIFIED, BOTH) == ""


def test_waiver_of_an_ability_excuses_all_that_lack_it_and_nothing_else() -> None:
    lacking = "KubernetesAccess"
    assert waived("kubelet.a", Status.NOT_VERIFIED, BOTH, lacking=lacking) == "no kubelet here"
    assert waived("latency.b", Status.NOT_VERIFIED, BOTH, lacking=lacking) == "no kubelet here"
    assert waived("kubelet.a", Status.NOT_VERIFIED, BOTH, lacking="Restarts") == ""
    assert waived("kubelet.a", Status.NOT_VERIFIED, BOTH) == ""


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.NOT_VERIFIED}))
def test_waiver_excuses_only_what_stays_unverified(status: Status) -> None:
    assert waived(CHECK, status, BOTH, lacking="KubernetesAccess") == ""


def test_measure_is_waived_where_a_check_has_missed_its_waived_ability() -> None:
    without = check("kubelet.a", Status.NOT_VERIFIED, lacking="KubernetesAccess")

    excused = waived_measures([check(), without], BOTH)

    taken_with = [name for name, ability in MEASURED_WITH.items() if ability == "KubernetesAccess"]
    assert taken_with
    assert excused == dict.fromkeys(taken_with, "no kubelet here")
    assert "cold_pull_p95_seconds" not in excused


def test_measure_stays_due_where_the_ability_is_there_or_not_waived() -> None:
    left_out = check("kubelet.a", Status.NOT_VERIFIED)
    without = check("kubelet.b", Status.NOT_VERIFIED, lacking="KubernetesAccess")

    assert waived_measures([check(), left_out], BOTH) == {}
    assert waived_measures([without], [BY_CHECK]) == {}


def test_waiver_of_a_verified_or_absent_check_is_stale_and_that_of_an_ability_never() -> None:
    assert stale_waivers([check(CHECK)], BOTH) == (CHECK,)
    assert stale_waivers([], BOTH) == (CHECK,)
    assert stale_waivers([check(CHECK, Status.NOT_VERIFIED)], BOTH) == ()
