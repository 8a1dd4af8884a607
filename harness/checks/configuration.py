"""Judges the files by which nodes are set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.hosts_toml import LintFinding


def lint_findings(node: str, found: Sequence[LintFinding]) -> tuple[Finding, ...]:
    """Turn what the linter says of a node's files into findings on that node."""
    return tuple(
        Finding(Code.CONFIGURATION, node, f"{finding.where}: {finding.problem}", finding.remedy)
        for finding in found
    )
