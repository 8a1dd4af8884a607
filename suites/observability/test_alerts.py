"""The alerts that are shipped: sound by Prometheus' own tool, and seen to fire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness import checks
from harness.cluster.protocols import InContainer
from harness.faults.containers import Stopped
from harness.faults.fault import injected
from harness.lab import ability
from harness.monitoring.alerting import FIRING, INACTIVE, wait_for

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from harness.history import History
    from harness.lab import Lab

DOWN: Final = "RegistryDown"
PROOFS: Final = (
    ("check", "config", "prometheus.yml"),
    ("check", "rules", "registry.rules.yaml"),
    ("test", "rules", "registry.tests.yaml"),
)


def test_alert_rules_are_sound(lab: Lab, judge: Judge) -> None:
    """Promtool takes the configuration and the rules, and the rules pass their tests."""
    monitor, _ = lab.monitoring()
    for proof in PROOFS:
        done = monitor.promtool(proof)
        judge(checks.tool_agrees(proof[-1], done.status, f"{done.text}{done.stderr}"))


@pytest.mark.exclusive
def test_alert_fires_while_the_registry_is_gone(lab: Lab, history: History, judge: Judge) -> None:
    """The alert that a registry is down fires while it is stopped, and ends with that."""
    monitor, registry = lab.monitoring()
    container = ability(registry, InContainer).container
    with injected(Stopped(container), into=history, time_limit_seconds=60):
        fired = wait_for(monitor, DOWN, FIRING, timeout_seconds=10)
    ended = wait_for(monitor, DOWN, INACTIVE, timeout_seconds=10)
    judge(
        checks.alert_is(registry.host, DOWN, FIRING, fired),
        checks.alert_is(registry.host, DOWN, INACTIVE, ended),
    )
