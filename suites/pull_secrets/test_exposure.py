"""Passwords stay where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import checks
from harness.cluster.protocols import RuntimeAccess
from harness.lab import ability
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Account, Publish, Pull
    from harness.findings import Finding
    from harness.lab import Lab


def test_passwords_stay_out_of_runtime_logs(
    lab: Lab, publish: Publish, pull: Pull, account: Account, judge: Judge
) -> None:
    """No node's runtime writes a password to its log, in any encoding."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    credentials = account(registry)
    image = publish(registry)
    judge(checks.all_succeeded(pull(image.reference, credentials)))
    found: list[Finding] = []
    for node in lab.nodes:
        log = ability(node, RuntimeAccess).runtime_log()
        found += checks.hides(node.name, credentials.password, log, where="its runtime's log")
    judge(found)
