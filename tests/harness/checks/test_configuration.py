from __future__ import annotations

from harness import checks
from harness.findings import Code
from harness.hosts_toml import lint


def test_trap_in_a_hosts_file_is_found_on_its_node() -> None:
    folder = "/etc/containerd/certs.d/registry.test:5000"

    findings = checks.lint_findings("node-1", lint({f"{folder}/host.toml": b""}))

    assert findings
    assert {(finding.code, finding.subject) for finding in findings} == {
        (Code.CONFIGURATION, "node-1")
    }
    assert folder in findings[0].evidence
