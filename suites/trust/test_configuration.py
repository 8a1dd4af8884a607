"""The nodes' configuration: read at all, sound, and named rightly when something is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.cluster.protocols import RuntimeAccess
from harness.diagnosis import FailureCode
from harness.hosts_toml import CERTS_D, lint, lint_pull_path, lint_runtime_config
from harness.lab import ability

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.findings import Finding
    from harness.lab import Lab


@pytest.mark.failure_modes(3)
def test_runtime_serves_images(lab: Lab, judge: Judge) -> None:
    """Every node's runtime is ready and its image service has loaded."""
    found: list[Finding] = []
    for node in lab.nodes:
        conditions = ability(node, RuntimeAccess).runtime_conditions()
        found += checks.runtime_ready(node.name, conditions)
    judge(found)


@pytest.mark.failure_modes(1, 3)
def test_runtime_reads_the_hosts_files(lab: Lab, judge: Judge) -> None:
    """Every node's runtime is configured to read the registry configuration that we see."""
    found: list[Finding] = []
    for node in lab.nodes:
        access = ability(node, RuntimeAccess)
        traps = lint_runtime_config(access.runtime_config(), access.runtime_version())
        found += checks.lint_findings(node.name, traps)
    judge(found)


@pytest.mark.failure_modes(2)
def test_runtime_pulls_as_other_nodes_do(lab: Lab, judge: Judge) -> None:
    """No node of this lab is set up to pull in a way that hides what breaks elsewhere."""
    found: list[Finding] = []
    for node in lab.nodes:
        access = ability(node, RuntimeAccess)
        traps = lint_pull_path(access.runtime_config(), access.runtime_version())
        found += checks.lint_findings(node.name, traps)
    judge(found)


@pytest.mark.failure_modes(4, 5)
def test_hosts_files_are_sound(lab: Lab, judge: Judge) -> None:
    """No registry configuration on any node is malformed, misnamed, a trap or insecure."""
    found: list[Finding] = []
    for node in lab.nodes:
        access = ability(node, RuntimeAccess)
        files = {path: access.read_file(path) or b"" for path in access.list_files(CERTS_D)}
        traps = lint(files, version=access.runtime_version())
        found += checks.lint_findings(node.name, traps)
    judge(found)


@pytest.mark.failure_modes(5)
def test_missing_tag_is_called_not_found(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """A tag that nobody holds is reported as not found, never as a broken certificate."""
    registry = lab.primary
    missing = publish(registry).reference.replace(":v1", ":no-such-tag")
    judge(checks.all_refused(pull(missing, registry.credentials), FailureCode.NOT_FOUND))


def test_unknown_name_is_not_resolved(pull: Pull, judge: Judge) -> None:
    """A registry whose name nobody holds fails as name resolution: no resolver answers for all."""
    pulls = pull("no-such-registry.invalid:5000/trust/nothing:v1")
    judge(checks.all_refused(pulls, FailureCode.NAME_RESOLUTION))


def test_closed_port_is_called_a_connection_failure(lab: Lab, pull: Pull, judge: Judge) -> None:
    """A registry that does not listen fails as a connection, not as a slow pull."""
    name = lab.primary.host.partition(":")[0]
    pulls = pull(f"{name}:1/trust/nothing:v1")
    judge(checks.all_refused(pulls, FailureCode.CONNECTION))
