"""Credentials: the right ones pull, and all others fail for no other reason than themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.lab import ability, credentials_of
from harness.registry.protocols import ChangesCredentials, KeepsAccessLog
from harness.scenario import kinds
from harness.secret import Credentials

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Account, Publish, Pull
    from harness.lab import Lab

REFUSED = FailureCode.AUTHENTICATION


def test_right_credentials_pull(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """Every node pulls with the right credentials, and the registry knows it by that user."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    log = ability(registry, KeepsAccessLog)
    image = publish(registry)
    mark = log.mark()
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    requests = log.requests_since(mark)
    judge(checks.served_by(requests, image.repository, lab.nodes))
    judge(checks.served_to_user(requests, image.repository, registry.credentials, lab.nodes))


def test_absent_credentials_are_refused(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """No node pulls without credentials."""
    image = publish(lab.find(kinds.WITH_ACCOUNTS))
    judge(checks.all_refused(pull(image.reference), REFUSED))


def test_wrong_password_is_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """No node pulls with a wrong password of a real account."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    wrong = replace(credentials_of(registry), password=lab.new_password())
    judge(checks.all_refused(pull(publish(registry).reference, wrong), REFUSED))


def test_unknown_account_is_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """No node pulls with the right password of nobody."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    unknown = replace(credentials_of(registry), username="nobody")
    judge(checks.all_refused(pull(publish(registry).reference, unknown), REFUSED))


def test_credentials_of_another_registry_are_refused(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """Credentials that are right for one registry open no other."""
    registry, other = lab.find_two(kinds.WITH_ACCOUNTS)
    judge(checks.all_refused(pull(publish(registry).reference, other.credentials), REFUSED))


def test_rotated_password_replaces_the_old_one(
    lab: Lab, publish: Publish, pull: Pull, account: Account, judge: Judge
) -> None:
    """After a rotation the new password pulls and the old one is refused."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    old = account(registry)
    image = publish(registry)
    judge(checks.all_succeeded(pull(image.reference, old)))
    new = Credentials(old.username, lab.new_password())
    ability(registry, ChangesCredentials).set_password(new.username, new.password)
    judge(checks.all_succeeded(pull(publish(registry).reference, new)))
    judge(checks.all_refused(pull(publish(registry).reference, old), REFUSED))


def test_revoked_account_is_refused(
    lab: Lab, publish: Publish, pull: Pull, account: Account, judge: Judge
) -> None:
    """An account that worked is refused once it was removed."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    credentials = account(registry)
    judge(checks.all_succeeded(pull(publish(registry).reference, credentials)))
    ability(registry, ChangesCredentials).remove_account(credentials.username)
    judge(checks.all_refused(pull(publish(registry).reference, credentials), REFUSED))


@pytest.mark.failure_modes(9)
def test_cached_image_does_not_mask_a_wrong_password(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """A node that holds an image still refuses to pull it with a wrong password."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    image = publish(registry)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    wrong = replace(credentials_of(registry), password=lab.new_password())
    judge(checks.all_refused(pull(image.reference, wrong), REFUSED))
