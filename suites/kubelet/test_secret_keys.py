"""Keys of pull secrets as kubelets read them: which images they take its credentials for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.lab import ability, credentials_of
from harness.registry.protocols import KeepsAccessLog
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Publish
    from harness.cluster.protocols import PodPull
    from harness.lab import Lab

# {host} stands for name and port, {name} for the name, {port} for the port with its colon,
# {first} for the name's first label and {parent} for the others
MATCHING = (
    "{host}",
    "https://{host}",
    "http://{host}",
    "https://{host}/v1/",
    "https://{host}/v2/",
    "{host}/kubelet",
    "*.{parent}{port}",
)
MISMATCHED = (
    "{name}:1",
    "{host}/another/path",
    "https://{host}/v2/another",
    "*{port}",
    "*.{host}",
    "other.{parent}{port}",
)
HUB = "docker.io"


@pytest.mark.failure_modes(8)
def test_matching_keys_pull(lab: Lab, publish: Publish, pods: Pods, judge: Judge) -> None:
    """Each form of key that names the registry gives its credentials to pods on every node."""
    for form in MATCHING:
        pulls = _pull_with_key(form, lab, publish, pods)
        judge(checks.in_case(f"key {form}", checks.all_succeeded(pulls)))


@pytest.mark.failure_modes(8)
def test_mismatched_keys_are_refused(lab: Lab, publish: Publish, pods: Pods, judge: Judge) -> None:
    """A key with another port, path or depth, or too broad a pattern, gives nothing away."""
    for form in MISMATCHED:
        pulls = _pull_with_key(form, lab, publish, pods)
        judge(checks.in_case(f"key {form}", checks.all_refused(pulls, FailureCode.AUTHENTICATION)))


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


def _pull_with_key(form: str, lab: Lab, publish: Publish, pods: Pods) -> tuple[PodPull, ...]:
    registry = lab.find(kinds.WITH_ACCOUNTS)
    name, colon, port = registry.host.partition(":")
    first, _, parent = name.partition(".")
    key = form.format(host=registry.host, name=name, port=colon + port, first=first, parent=parent)
    return pods.pull(publish(registry).reference, pods.secret({key: credentials_of(registry)}))
