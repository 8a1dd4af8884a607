"""Keys of a pull secret: which registries the kubelet takes its credentials for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.keyring import Keyring, dockerconfigjson
from harness.lab import credentials_of
from harness.scenario import kinds
from harness.secret_keys import key, matching_forms, mismatched_forms

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.cluster.protocols import Pull as PullResult
    from harness.lab import Lab
    from harness.registry.protocols import Registry


@pytest.mark.failure_modes(8)
def test_matching_keys_pull(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """Each form of key that names the registry gives its credentials to every node."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    for form in matching_forms(registry.host):
        judge(checks.all_succeeded(_pull_with_key(form, registry, publish, pull)))


@pytest.mark.failure_modes(8)
def test_mismatched_keys_are_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """A key with another port, path or depth gives nothing: the pull is anonymous and refused."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    for form in mismatched_forms(registry.host):
        pulls = _pull_with_key(form, registry, publish, pull)
        judge(checks.all_refused(pulls, FailureCode.AUTHENTICATION))


def _pull_with_key(
    form: str, registry: Registry, publish: Publish, pull: Pull
) -> tuple[PullResult, ...]:
    reference = publish(registry).reference
    secret = dockerconfigjson({key(form, reference): credentials_of(registry)})
    found = Keyring.parse(secret).lookup(reference)
    return pull(reference, found[0] if found else None)
