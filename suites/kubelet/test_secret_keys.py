"""Keys of pull secrets as kubelets read them: which images they take its credentials for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.lab import ability, credentials_of
from harness.registry.protocols import KeepsAccessLog
from harness.scenario import kinds
from harness.secret_keys import key, matching_forms, mismatched_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Publish
    from harness.lab import Lab
    from harness.registry.protocols import Registry

HUB = "docker.io"


@pytest.mark.failure_modes(8)
def test_matching_keys_pull(lab: Lab, publish: Publish, pods: Pods, judge: Judge) -> None:
    """Each form of key that names the registry gives its credentials to pods."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    cases = _cases(matching_forms(registry.host), registry, publish, pods)
    for case, pulls in pods.pull_each(cases):
        judge(checks.in_case(case, checks.all_succeeded(pulls)))


@pytest.mark.failure_modes(8)
def test_mismatched_keys_are_refused(lab: Lab, publish: Publish, pods: Pods, judge: Judge) -> None:
    """A key with another port, path or depth, or too broad a pattern, gives nothing away."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    cases = _cases(mismatched_forms(registry.host), registry, publish, pods)
    for case, pulls in pods.pull_each(cases):
        judge(checks.in_case(case, checks.all_refused(pulls, FailureCode.AUTHENTICATION)))


@pytest.mark.failure_modes(8)
def test_key_of_docker_hub_pulls_images_of_docker_io(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """The key https://index.docker.io/v1/ serves images of docker.io, the mirror's own does not."""
    mirror = lab.find(kinds.PRIVATE_MIRROR_OF_HUB)
    log = ability(mirror, KeepsAccessLog)
    credentials = credentials_of(mirror)
    image = publish(mirror)
    mark = log.mark()
    secret = pods.secret({"https://index.docker.io/v1/": credentials})
    judge(checks.all_succeeded(pods.pull(image.at(HUB), secret)))
    requests = log.requests_since(mark)
    judge(checks.served_by(requests, image.repository, lab.nodes))
    judge(checks.names_origin(requests, image.repository, HUB, lab.nodes))
    pulls = pods.pull(publish(mirror).at(HUB), pods.secret({mirror.host: credentials}))
    judge(checks.all_refused(pulls, FailureCode.AUTHENTICATION))


def _cases(
    forms: Sequence[str], registry: Registry, publish: Publish, pods: Pods
) -> dict[str, tuple[str, str]]:
    """Return an image of its own for each form of key, and a secret with that key."""
    credentials = credentials_of(registry)
    references = {form: publish(registry).reference for form in forms}
    return {
        f"key {form}": (reference, pods.secret({key(form, reference): credentials}))
        for form, reference in references.items()
    }
