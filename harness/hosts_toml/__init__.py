"""containerd's registry configuration: written in its safe form, and searched for traps; pure.

Facts are from containerd's `docs/hosts.md` and `core/remotes/docker/config/hosts.go`, and were
tried on 1.6.20, 1.7.24 and 2.1.9.
"""

from __future__ import annotations

from harness.hosts_toml.finding import CERTS_D, LintFinding, Rule
from harness.hosts_toml.folder import lint
from harness.hosts_toml.render import Host, HostsFile, render
from harness.hosts_toml.runtime import lint_pull_path, lint_runtime_config

__all__ = [
    "CERTS_D",
    "Host",
    "HostsFile",
    "LintFinding",
    "Rule",
    "lint",
    "lint_pull_path",
    "lint_runtime_config",
    "render",
]
