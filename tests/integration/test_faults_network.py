"""Networks and names of real containers, broken and healed."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from harness.diagnosis import FailureCode
from harness.engine import ContainerHandle
from harness.errors import EngineError
from harness.faults.fault import injected
from harness.faults.link import DelayedLink, SlowLink
from harness.faults.names import NamesUnresolved
from harness.faults.network import CorruptLink, CutOff, LossyLink
from harness.faults.unsupported import UnsupportedFaultError
from harness.findings import NotVerified
from harness.history import History
from harness.wait import wait_until
from tests.fault_owner import HEALED_SECONDS, owned_elsewhere
from tests.integration.breakable_lab import BreakableLab, breakable_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.faults.fault import Fault

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="breaking networks takes root")

KIB = 1024
MIB = 1024 * KIB

FAULTS: dict[str, Callable[[ContainerHandle], Fault]] = {
    "cut off": lambda container: CutOff(container, container),
    "lossy": lambda container: LossyLink(container, every=2),
    "corrupt": lambda container: CorruptLink(container, every=2),
    "no names": NamesUnresolved,
    "slow": lambda container: SlowLink(container, 256 * KIB),
    "delayed": lambda container: DelayedLink(container, 0.1),
}
# This kernel may lack netem; a test of its own tells.
SURE = [name for name in FAULTS if name != "delayed"]


@pytest.fixture(scope="module")
def lab() -> Iterator[BreakableLab]:
    with breakable_lab() as lab:
        yield lab


def test_cut_off_node_pulls_nothing_while_others_reach_the_registry(lab: BreakableLab) -> None:
    reference, history = lab.push(), History()
    fault = CutOff(lab.node.container, lab.registry.container)

    with injected(fault, into=history, time_limit_seconds=60):
        pull = lab.pull(reference)
        assert lab.registry.api().ping().status == 200

    assert pull.failure is not None
    assert pull.failure.code == FailureCode.TIMEOUT
    lab.assert_pulls_again(reference)
    (recorded,) = history.faults
    assert (recorded.subject, recorded.fault) == ("node-1", "cut off from primary")


def test_cut_off_registry_hears_nothing_of_the_node(lab: BreakableLab) -> None:
    reference, mark = lab.push(), lab.registry.mark()
    fault = CutOff(lab.registry.container, lab.node.container)

    with injected(fault, into=History(), time_limit_seconds=60):
        assert not lab.pull(reference).succeeded
        served = lab.registry.requests_since(mark)

    assert lab.node.address not in {request.client for request in served}
    lab.assert_pulls_again(reference)


def test_name_is_not_resolved(lab: BreakableLab) -> None:
    reference = lab.push()

    with injected(NamesUnresolved(lab.node.container), into=History(), time_limit_seconds=60):
        pull = lab.pull(reference, timeout_seconds=30)

    assert pull.failure is not None
    assert pull.failure.code == FailureCode.NAME_RESOLUTION
    lab.assert_pulls_again(reference)


def test_corrupt_link_delivers_no_image(lab: BreakableLab) -> None:
    reference = lab.push(layer_bytes=4 * MIB)

    fault = CorruptLink(lab.node.container, every=2)
    with injected(fault, into=History(), time_limit_seconds=60):
        pull = lab.pull(reference, timeout_seconds=10)

    assert pull.failure is not None
    assert "tls: bad record MAC" in pull.failure.evidence
    lab.assert_pulls_again(reference)


def retransmitted(lab: BreakableLab) -> int:
    """How many segments of TCP the registry has sent again so far, see proc_pid_net(5)."""
    shown = lab.registry._container.execute(["cat", "/proc/net/snmp"]).text
    names, figures = (line.split() for line in shown.splitlines() if line.startswith("Tcp:"))
    return int(figures[names.index("RetransSegs")])


def test_lossy_link_has_much_sent_again(lab: BreakableLab) -> None:
    reference, before = lab.push(layer_bytes=2 * MIB), retransmitted(lab)

    fault = LossyLink(lab.node.container, every=10)
    with injected(fault, into=History(), time_limit_seconds=60):
        pull = lab.pull(reference, timeout_seconds=30)

    assert pull.succeeded
    assert retransmitted(lab) > before


def test_slow_link_delivers_late(lab: BreakableLab) -> None:
    reference = lab.push(layer_bytes=2 * MIB)

    fault = SlowLink(lab.node.container, MIB)
    with injected(fault, into=History(), time_limit_seconds=60):
        pull = lab.pull(reference, timeout_seconds=30)

    assert pull.succeeded
    # 2 MiB at 1 MiB/s; only what fills the bucket is free
    assert pull.duration_seconds > 1.9


def test_slow_link_slows_nobody_else(lab: BreakableLab) -> None:
    reference = lab.push(layer_bytes=2 * MIB)
    fault = SlowLink(lab.registry.container, 64 * KIB)

    # What the registry sends is not limited, only what it receives: 2 MiB at 64 KiB/s would
    # take 32 s.
    with injected(fault, into=History(), time_limit_seconds=60):
        pull = lab.pull(reference, timeout_seconds=30)

    assert pull.succeeded


def has_netem(container: ContainerHandle) -> bool:
    """Whether this kernel can delay packets."""
    fault = DelayedLink(container, 0.001)
    try:
        fault.inject()
    except UnsupportedFaultError:
        return False
    fault.heal()
    return True


def test_delayed_link_answers_late(lab: BreakableLab) -> None:
    container = lab.registry.container
    if not has_netem(container):
        pytest.skip("this kernel has no netem")
    with injected(DelayedLink(container, 0.25), into=History(), time_limit_seconds=60):
        begin = time.monotonic()
        lab.registry.api().ping()
        assert time.monotonic() - begin >= 0.25


def test_kernel_without_netem_proves_nothing_about_delay(lab: BreakableLab) -> None:
    fault, history = DelayedLink(lab.registry.container, 0.25), History()
    if has_netem(fault.container):
        pytest.skip("this kernel has netem")
    with (
        pytest.raises(NotVerified, match="sch_netem"),
        injected(fault, into=history, time_limit_seconds=60),
    ):
        pytest.fail("the block must not run")
    assert history.faults == ()
    assert not fault.is_active()


def test_faults_heal_when_their_owner_is_killed(lab: BreakableLab) -> None:
    broken = [FAULTS[name](lab.node.container) for name in SURE]
    with owned_elsewhere(*broken) as pid:
        assert all(fault.is_active() for fault in broken)
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: [fault for fault in broken if fault.is_active()],
            ready=lambda left: not left,
            timeout_seconds=HEALED_SECONDS,
            what="all faults to heal",
        )


@pytest.mark.parametrize("name", SURE)
def test_faults_of_one_container_do_not_heal_each_other(lab: BreakableLab, name: str) -> None:
    fault = FAULTS[name](lab.node.container)
    others = [FAULTS[other](lab.node.container) for other in SURE if other != name]
    for other in others:
        other.inject()

    with injected(fault, into=History(), time_limit_seconds=60):
        pass

    assert all(other.is_active() for other in others)
    for other in others:
        other.heal()
        other.heal()
    assert not any(other.is_active() for other in others)


@pytest.mark.parametrize("name", FAULTS)
def test_container_that_is_gone_is_no_longer_broken(lab: BreakableLab, name: str) -> None:
    gone = FAULTS[name](ContainerHandle("gone", "0" * 64, lab.node.container.url))

    gone.heal()
    assert not gone.is_active()
    with pytest.raises(EngineError, match=r"gone (is gone|does not run)"):
        gone.inject()


def test_fault_goes_with_the_network_of_a_container_that_ends(lab: BreakableLab) -> None:
    faults = [FAULTS[name](lab.registry.container) for name in SURE]
    for fault in faults:
        fault.inject()

    lab.registry.restart()

    assert not any(fault.is_active() for fault in faults)
