"""Containers that stand still or are gone for a while, and come back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from harness.cluster.protocols import InContainer, RunsRuntime
from harness.engine import ContainerHandle
from harness.errors import EngineError
from harness.faults.containers import Killed, Paused, Restarted, Stopped
from harness.faults.fault import Fault, caused, injected
from harness.faults.runtimes import RuntimeRestarted, RuntimeStopped
from harness.history import History
from harness.wait import wait_until
from tests.fault_owner import HEALED_SECONDS, owned_elsewhere
from tests.integration.breakable_lab import BreakableLab, breakable_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Callable[[ContainerHandle], Fault]
FAULTS: dict[str, Kind] = {"killed": Killed, "stopped": Stopped, "paused": Paused}
EACH = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@pytest.fixture(scope="module")
def lab() -> Iterator[BreakableLab]:
    with breakable_lab() as lab:
        yield lab


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_pulled_from_a_registry_that_is_out_of_order(
    lab: BreakableLab, name: str
) -> None:
    reference, history = lab.push(), History()

    with injected(FAULTS[name](lab.registry.container), into=history, time_limit_seconds=60):
        assert not lab.pull(reference).succeeded

    lab.assert_pulls_again(reference)
    (recorded,) = history.faults
    assert recorded.subject == "primary"
    assert recorded.fault == name
    assert recorded.proven_healed


@EACH
def test_node_that_is_out_of_order_pulls_nothing(lab: BreakableLab, fault: Kind) -> None:
    reference = lab.push()

    with injected(fault(lab.node.container), into=History(), time_limit_seconds=60):
        assert not lab.pull(reference).succeeded

    lab.assert_pulls_again(reference)


def test_restart_is_over_by_itself(lab: BreakableLab) -> None:
    reference, history = lab.push(), History()

    caused(Restarted(lab.registry.container), into=history)

    lab.assert_pulls_again(reference)
    assert [(each.subject, each.fault) for each in history.faults] == [("primary", "restarted")]


@EACH
def test_fault_heals_when_its_owner_is_killed(lab: BreakableLab, fault: Kind) -> None:
    broken = fault(lab.registry.container)
    reference = lab.push()
    with owned_elsewhere(broken) as pid:
        assert broken.is_active()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not broken.is_active(), timeout_seconds=HEALED_SECONDS, what="the fault to heal"
        )

    lab.assert_pulls_again(reference)


@EACH
def test_container_that_is_gone_is_no_longer_broken(lab: BreakableLab, fault: Kind) -> None:
    gone = fault(ContainerHandle("gone", "0" * 64, lab.node.container.url))

    gone.heal()
    assert not gone.is_active()
    with pytest.raises(EngineError, match="container gone is gone"):
        gone.inject()


@EACH
def test_engine_that_is_gone_leaves_nothing_to_heal(fault: Kind) -> None:
    gone = fault(ContainerHandle("gone", "0" * 64, "unix:///nowhere/docker.sock"))

    gone.heal()
    assert not gone.is_active()


def test_node_without_its_runtime_pulls_nothing(lab: BreakableLab) -> None:
    reference = lab.push()
    assert isinstance(lab.node, RunsRuntime)

    fault = RuntimeStopped(lab.node.container, lab.node.runtime_unit)
    with injected(fault, into=History(), time_limit_seconds=60):
        assert not lab.pull(reference).succeeded

    lab.assert_pulls_again(reference)


def test_runtime_pulls_again_after_a_restart(lab: BreakableLab) -> None:
    reference, history = lab.push(), History()

    caused(RuntimeRestarted(lab.node.container, lab.node.runtime_unit), into=history)

    lab.assert_pulls_again(reference)
    assert [each.fault for each in history.faults] == ["container runtime restarted"]


def test_node_and_registry_say_which_container_they_are(lab: BreakableLab) -> None:
    assert isinstance(lab.node, InContainer)
    assert isinstance(lab.registry, InContainer)
    assert lab.node.container.name == "node-1"
