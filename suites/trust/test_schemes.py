"""HTTP and HTTPS: plain HTTP only where it was declared, never by falling back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks, workload
from harness.diagnosis import FailureCode
from harness.lab import ability
from harness.registry.protocols import HasUndeclaredName, KeepsAccessLog
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.findings import Finding
    from harness.lab import Lab


@pytest.mark.failure_modes(6)
def test_declared_plain_http_is_accepted(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """Every node pulls over plain HTTP from a registry that is declared so."""
    registry = lab.find(kinds.PLAIN_HTTP)
    log = ability(registry, KeepsAccessLog)
    image = publish(registry)
    mark = log.mark()
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    judge(checks.served_by(log.requests_since(mark), image.repository, lab.nodes))


@pytest.mark.failure_modes(6)
def test_undeclared_plain_http_is_refused(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """No node falls back to plain HTTP for a registry that nobody declared."""
    registry = lab.find(kinds.PLAIN_HTTP)
    image = publish(registry)
    undeclared = image.at(ability(registry, HasUndeclaredName).undeclared_host)
    judge(checks.all_refused(pull(undeclared, registry.credentials), FailureCode.SCHEME_MISMATCH))


@pytest.mark.failure_modes(13)
def test_uploads_stay_on_their_scheme_and_host(lab: Lab, judge: Judge) -> None:
    """The address that a registry gives for an upload has the scheme and host of the request."""
    found: list[Finding] = []
    for registry in lab.find_all(kinds.SOUND):
        repository = registry.spec.repository(workload.unique_repository("trust"))
        upload = registry.api().start_upload(repository)
        found += checks.stays_put(registry.host, registry.spec.secure, upload.location)
    judge(found)
