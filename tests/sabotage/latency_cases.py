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

# 1 MiB at half a megabit per second takes more than 16 s; the target is 12 s.
HALF_A_MEGABIT = 62_500


def _slow_down_the_link_of_node_2(lab: Lab) -> None:
    SlowLink(node_2(lab).container, HALF_A_MEGABIT).inject()


def _ask_a_dead_nameserver_first_on_node_2(lab: Lab) -> None:
    """Have each look-up wait two seconds for a nameserver that is gone; see resolv.conf(5).

    A cold pull makes up to three, for which it has 12 s, a warm one a single one: it has 1.8 s.
    """
    node = node_2(lab)
    shown = node.execute(["ip", "-o", "-4", "address", "show", "eth0"]).text
    nobody = ip_interface(shown.split()[3]).network[-2]
    servers = f"nameserver {nobody}\nnameserver 127.0.0.11\n"
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
        name="node-asks-a-dead-nameserver-first",
        suite="latency",
        sabotage=Sabotage(lab_started=_ask_a_dead_nameserver_first_on_node_2),
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
