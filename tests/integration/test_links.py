"""Links of registries as scenarios ask for them, where the kernel can have them and where not."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from harness.engine.network_stack import RATE, NoDisciplineError, network_stack
from harness.engine.sending import limit_sending, try_limits
from harness.errors import EngineError
from harness.machine import CHECKOUT
from harness.result.model import ExitCode, Verdict
from harness.scenario.model import LinkSpec, RegistrySpec
from tests.acceptance_runs import run_acceptance
from tests.integration.distribution.stage import distribution_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.registry.distribution import DistributionRegistry

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="limiting links takes root")

DELAY_MS = 200
SCENARIO = """\
version: 1
name: delayed
cluster: {provider: containerd, nodes: 1}
capabilities: [integrity]
registries:
  - name: primary
    link:
      rateMbit: 50
      delayMs: 40
"""


def has_netem() -> bool:
    """Whether this kernel can delay packets."""
    try:
        try_limits(None, delay_ms=1)
    except NoDisciplineError:
        return False
    return True


NETEM = has_netem() if os.geteuid() == 0 else False
without_netem = pytest.mark.skipif(NETEM, reason="this kernel has netem")
with_netem = pytest.mark.skipif(not NETEM, reason="this kernel has no netem")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DistributionRegistry]:
    with (
        distribution_stage(tmp_path) as stage,
        stage.start(RegistrySpec(name="far", link=LinkSpec(rate_mbit=50))) as registry,
    ):
        yield registry


def test_trial_is_made_in_a_network_of_its_own() -> None:
    try_limits(1)

    with network_stack() as stack:
        (own,) = stack.kernel.link_lookup(ifname="lo")
        queues = [each for each in stack.kernel.get_qdiscs() if each["index"] == own]
    assert RATE not in {each.get_attr("TCA_KIND") for each in queues}


@without_netem
def test_run_on_a_kernel_without_netem_is_an_error_before_anything_is_started(
    tmp_path: Path,
) -> None:
    scenario = tmp_path / "delayed.yaml"
    scenario.write_text(SCENARIO)

    finished = run_acceptance(tmp_path / "results", CHECKOUT / "suites", "--scenario", scenario)

    assert finished.status == ExitCode.ERROR
    told = f"{scenario}:9: this machine cannot have the link of primary: the kernel has no netem"
    assert told in finished.output
    assert "use a kernel with the module sch_netem, or remove delayMs" in finished.output
    result = finished.conclusion()
    assert result.verdict is Verdict.ERROR
    assert result.environment.engine is None
    assert any(told in error for error in result.errors)


@without_netem
def test_registry_without_the_delay_is_not_started(registry: DistributionRegistry) -> None:
    with pytest.raises(EngineError, match=r"what .*far sends cannot be limited: .* no netem"):
        limit_sending(registry._container, 50, delay_ms=DELAY_MS)


@with_netem
@pytest.mark.parametrize("rate_mbit", [None, 50])
def test_delayed_registry_answers_late(
    registry: DistributionRegistry, rate_mbit: int | None
) -> None:
    limit_sending(registry._container, rate_mbit, delay_ms=DELAY_MS)

    begin = time.monotonic()
    registry.api().ping()

    assert time.monotonic() - begin >= DELAY_MS / 1000
