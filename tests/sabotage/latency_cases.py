"""Slow systems: what the suite `latency` must see through."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from harness.faults.link import SlowLink
from harness.findings import Code
from harness.result.model import Status
from tests.sabotage.breaking import node_2
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.workload import Published

WARM = "test_pulls.py::test_warm_pulls"

# 1 MiB at half a megabit per second takes more than 16 s; the target is 12 s.
HALF_A_MEGABIT = 62_500


def _slow_down_the_link_of_node_2(lab: Lab) -> None:
    SlowLink(node_2(lab).container, HALF_A_MEGABIT).inject()


def _ask_dead_nameservers_first_on_node_2(lab: Lab) -> None:
    """Have each look-up wait two seconds for each of two nameservers that are gone.

    See resolv.conf(5). A warm pull makes a single one, for which it has 3.5 s. An address where
    nobody is is told to be unreachable 3 s after it was asked for first: one nameserver alone
    would be asked again before.
    """
    node = node_2(lab)
    shown = node.execute(["ip", "-o", "-4", "address", "show", "eth0"]).text
    network = ip_interface(shown.split()[3]).network
    asked = (network[-2], network[-3], "127.0.0.11")
    servers = "".join(f"nameserver {address}\n" for address in asked)
    options = "options timeout:2 attempts:1 ndots:0\n"
    write = ["sh", "-c", 'printf "%s" "$1" >/etc/resolv.conf', "sh", servers + options]
    assert node.execute(write).status == 0


def _pull_on_node_2_beforehand(lab: Lab, published: Published) -> None:
    assert node_2(lab).pull(published.reference, lab.primary.credentials).succeeded


CASES = (
    Case(
        name="node-has-a-slow-link",
        suite="latency",
        sabotage=Sabotage(lab_started=_slow_down_the_link_of_node_2),
        turns_red={
            "latency.cold-pulls-of-one-node-at-a-time-1mib": Code.TARGET_MISSED,
            "latency.cold-pulls-of-all-nodes-at-once-1mib": Code.TARGET_MISSED,
        },
        subjects=frozenset({"node-2"}),
    ),
    Case(
        name="node-asks-dead-nameservers-first",
        suite="latency",
        parts=(WARM,),
        sabotage=Sabotage(lab_started=_ask_dead_nameservers_first_on_node_2),
        turns_red={"latency.warm-pulls-1mib": Code.TARGET_MISSED},
        subjects=frozenset({"node-2"}),
    ),
    Case(
        name="node-holds-images-before-their-first-pull",
        suite="latency",
        sabotage=Sabotage(published=_pull_on_node_2_beforehand),
        turns_red={},
        subjects=frozenset(),
        leaves_open={
            "latency.cold-pulls-of-one-node-at-a-time-1mib": Status.INCONCLUSIVE,
            "latency.cold-pulls-of-all-nodes-at-once-1mib": Status.INCONCLUSIVE,
        },
        reason="node-2 pulled",
    ),
)
