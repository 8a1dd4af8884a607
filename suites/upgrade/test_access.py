"""Who may use a registry, and by which configuration: the same when another version runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.lab import ability, credentials_of
from harness.registry.protocols import ShowsConfiguration
from harness.upgrade import entrance

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.upgrading import Upgrade
    from fixtures.workload import Publish, Pull
    from harness.lab import Lab

REFUSED = FailureCode.AUTHENTICATION


@pytest.mark.exclusive
@pytest.mark.failure_modes(28)
def test_access_survives_the_upgrade(
    lab: Lab, publish: Publish, pull: Pull, upgrade: Upgrade, judge: Judge
) -> None:
    """Accounts pull and push with their password and nobody without; strangers meet the same.

    The control is the new version left to its own command: it reads no file of the old one.
    """
    registry, version = lab.to_be_upgraded()
    right = credentials_of(registry)
    wrong = replace(right, password=lab.new_password())
    image, before = publish(registry), entrance(registry.endpoint)
    with lab.other_versions().by_its_own_command(registry, version) as endpoint:
        checks.ignored_by_default(registry.host, before, entrance(endpoint))
    with upgrade(version)(registry) as upgraded:
        judge(
            checks.same_entrance(registry.host, before, entrance(upgraded.endpoint)),
            checks.all_refused(pull(image.reference), REFUSED),
            checks.all_refused(pull(image.reference, wrong), REFUSED),
        )
        for each in (image, publish(upgraded)):
            pulls = pull(each.reference, right)
            judge(checks.all_succeeded(pulls), checks.is_image(pulls, each.image))


@pytest.mark.failure_modes(28)
def test_new_version_knows_every_option(lab: Lab, judge: Judge) -> None:
    """The configuration has no option that the new version ignores or does not start with."""
    registry, _ = lab.to_be_upgraded()
    configuration = ability(registry, ShowsConfiguration).configuration()
    judge(checks.dropped_options(registry.host, configuration))
