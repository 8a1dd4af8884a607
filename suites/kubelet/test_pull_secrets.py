"""Pull secrets on pods and service accounts: who has one pulls, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import checks
from harness.diagnosis import FailureCode
from harness.lab import ability, credentials_of
from harness.registry.protocols import ChangesCredentials, KeepsAccessLog
from harness.scenario import kinds
from harness.secret import Credentials

if TYPE_CHECKING:
    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Account, Publish
    from harness.lab import Lab

REFUSED = FailureCode.AUTHENTICATION


def test_secret_on_the_pod_pulls(lab: Lab, publish: Publish, pods: Pods, judge: Judge) -> None:
    """Pods with the secret pull on every node, and the registry knows them by its user."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    log = ability(registry, KeepsAccessLog)
    secret = pods.secret({registry.host: credentials_of(registry)})
    image = publish(registry)
    mark = log.mark()
    pulls = pods.pull(image.reference, secret, with_status=True)
    requests = log.requests_since(mark)
    judge(checks.all_succeeded(pulls), checks.is_image(pulls, image.image))
    judge(checks.served_by(requests, image.repository, lab.nodes))
    judge(checks.served_to_user(requests, image.repository, registry.credentials, lab.nodes))


def test_secret_on_the_service_account_pulls(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """Pods pull by the secret of their service account, and not by that of another one."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    secret = pods.secret({registry.host: credentials_of(registry)})
    account, another = pods.service_account(secret), pods.service_account()
    pulls = pods.pull(publish(registry).reference, service_account=account)
    judge(checks.all_succeeded(pulls))
    pulls = pods.pull(publish(registry).reference, service_account=another)
    judge(checks.all_refused(pulls, REFUSED))


def test_pod_without_a_secret_is_refused(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """Pods without a secret do not pull, whatever secrets lie in their namespace."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    pods.secret({registry.host: credentials_of(registry)})
    judge(checks.all_refused(pods.pull(publish(registry).reference), REFUSED))


def test_secret_of_another_namespace_is_refused(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """A secret serves pods of its own namespace; those of another one are told it is not there."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    elsewhere = pods.cluster.second_namespace
    secret = pods.secret({registry.host: credentials_of(registry)}, namespace=elsewhere)
    pulls = pods.pull(publish(registry).reference, secret, secrets_exist=False)
    judge(checks.all_refused(pulls, REFUSED))
    judge(checks.has_event(pulls, "FailedToRetrieveImagePullSecret"))
    pulls = pods.pull(publish(registry).reference, secret, namespace=elsewhere)
    judge(checks.all_succeeded(pulls))


def test_rotated_secret_pulls_and_the_old_one_is_refused(
    lab: Lab, publish: Publish, pods: Pods, account: Account, judge: Judge
) -> None:
    """After a rotation pods are refused until their secret is replaced, and then pull."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    old = account(registry)
    secret = pods.secret({registry.host: old})
    judge(checks.all_succeeded(pods.pull(publish(registry).reference, secret)))
    new = Credentials(old.username, lab.new_password())
    ability(registry, ChangesCredentials).set_password(new.username, new.password)
    judge(checks.all_refused(pods.pull(publish(registry).reference, secret), REFUSED))
    pods.change(secret, {registry.host: new})
    judge(checks.all_succeeded(pods.pull(publish(registry).reference, secret)))
