"""Pull policies, and images that a node holds already: neither lets anybody in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.findings import NotVerified
from harness.lab import ability, credentials_of
from harness.registry.protocols import KeepsAccessLog
from harness.scenario import kinds
from harness.secret import Credentials

if TYPE_CHECKING:
    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Publish
    from harness.lab import Lab

REFUSED = FailureCode.AUTHENTICATION


def test_if_not_present_does_not_ask_the_registry_again(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """With IfNotPresent a second pod of the same secret runs without a request."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    log = ability(registry, KeepsAccessLog)
    secret = pods.secret({registry.host: credentials_of(registry)})
    image = publish(registry)
    mark = log.mark()
    judge(checks.all_succeeded(pods.pull(image.reference, secret)))
    judge(checks.served_by(log.requests_since(mark), image.repository, lab.nodes))
    mark = log.mark()
    # A kubelet that has not got the secret yet asks without it, and rightly.
    pulls = pods.pull(image.reference, secret, secrets_first=True)
    judge(checks.all_succeeded(pulls), checks.already_present(pulls))
    requests = log.requests_since(mark)
    judge(checks.not_asked(registry.host, requests, image.repository, lab.nodes))


def test_always_asks_the_registry_each_time(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """With Always the registry is asked for an image that the node holds."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    log = ability(registry, KeepsAccessLog)
    secret = pods.secret({registry.host: credentials_of(registry)})
    image = publish(registry)
    judge(checks.all_succeeded(pods.pull(image.reference, secret)))
    mark = log.mark()
    judge(checks.all_succeeded(pods.pull(image.reference, secret, policy="Always")))
    requests = log.requests_since(mark)
    judge(checks.asked(registry.host, requests, image.repository, lab.nodes))


def test_never_runs_what_is_there_and_pulls_nothing(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """With Never an absent image is refused without a request, and a present one runs."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    log = ability(registry, KeepsAccessLog)
    secret = pods.secret({registry.host: credentials_of(registry)})
    image = publish(registry)
    mark = log.mark()
    pulls = pods.pull(image.reference, secret, policy="Never", with_status=True)
    judge(checks.all_refused(pulls, FailureCode.POLICY))
    judge(checks.waited_with(pulls, "ErrImageNeverPull"))
    requests = log.requests_since(mark)
    judge(checks.not_asked(registry.host, requests, image.repository, lab.nodes))
    judge(checks.all_succeeded(pods.pull(image.reference, secret)))
    pulls = pods.pull(image.reference, secret, policy="Never")
    judge(checks.all_succeeded(pulls), checks.already_present(pulls))


@pytest.mark.failure_modes(9)
def test_cached_image_does_not_mask_absent_credentials(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """A node that holds an image lets nobody run it who could not pull it."""
    if not lab.scenario.cluster.kubelet.ensure_secret_pulled_images:
        raise NotVerified(
            "the scenario switches KubeletEnsureSecretPulledImages off: kubelets then let every "
            "pod run what their node holds"
        )
    registry = lab.find(kinds.WITH_ACCOUNTS)
    right = pods.secret({registry.host: credentials_of(registry)})
    wrong = pods.secret({registry.host: Credentials("nobody", lab.new_password())})
    image = publish(registry)
    judge(checks.all_succeeded(pods.pull(image.reference, right)))
    judge(checks.all_refused(pods.pull(image.reference), REFUSED))
    judge(checks.all_refused(pods.pull(image.reference, wrong), REFUSED))
    judge(checks.all_refused(pods.pull(image.reference, policy="Never"), FailureCode.POLICY))
    judge(checks.all_succeeded(pods.pull(image.reference, right)))


@pytest.mark.failure_modes(9)
def test_always_policy_asks_for_credentials_of_a_cached_image(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """With Always an image that the node holds is refused without the right credentials."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    right = pods.secret({registry.host: credentials_of(registry)})
    image = publish(registry)
    judge(checks.all_succeeded(pods.pull(image.reference, right)))
    judge(checks.all_refused(pods.pull(image.reference, policy="Always"), REFUSED))
    judge(checks.all_succeeded(pods.pull(image.reference, right, policy="Always")))
