"""Keys of a pull secret: which registries the kubelet takes its credentials for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.diagnosis import FailureCode
from harness.keyring import Keyring, dockerconfigjson
from harness.lab import credentials_of
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.cluster.protocols import Pull as PullResult
    from harness.lab import Lab

# {host} stands for name and port, {name} for the name, {port} for the port with its colon,
# {parent} for the name without its first label, {folder} for where the image lies
MATCHING = (
    "{host}",
    "https://{host}",
    "http://{host}",
    "https://{host}/v1/",
    "https://{host}/v2/",
    "{host}/{folder}",
    "*.{parent}{port}",
)
MISMATCHED = (
    "{name}:1",
    "{host}/another/path",
    "*{port}",
    "*.{host}",
    "other.{parent}{port}",
)


@pytest.mark.failure_modes(8)
def test_matching_keys_pull(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """Each form of key that names the registry gives its credentials to every node."""
    for form in MATCHING:
        judge(checks.all_succeeded(_pull_with_key(form, lab, publish, pull)))


@pytest.mark.failure_modes(8)
def test_mismatched_keys_are_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """A key with another port, path or depth gives nothing: the pull is anonymous and refused."""
    for form in MISMATCHED:
        pulls = _pull_with_key(form, lab, publish, pull)
        judge(checks.all_refused(pulls, FailureCode.AUTHENTICATION))


def _pull_with_key(form: str, lab: Lab, publish: Publish, pull: Pull) -> tuple[PullResult, ...]:
    registry = lab.find(kinds.WITH_ACCOUNTS)
    image = publish(registry)
    name, colon, port = registry.host.partition(":")
    key = form.format(
        host=registry.host,
        name=name,
        port=colon + port,
        parent=name.partition(".")[2],
        folder=image.repository.rpartition("/")[0],
    )
    secret = dockerconfigjson({key: credentials_of(registry)})
    found = Keyring.parse(secret).lookup(image.reference)
    return pull(image.reference, found[0] if found else None)
