from __future__ import annotations

import pytest

from harness.engine.firewall import drops_bridged_packets

BRIDGED = "-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT\n"


@pytest.mark.parametrize(
    "rules",
    [
        "-P FORWARD DROP\n",
        "-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n-A FORWARD -o docker0 -j ACCEPT\n",
        "-P FORWARD ACCEPT\n-A FORWARD -i lo -j ACCEPT\n-A FORWARD -j REJECT --reject-with x\n",
        "-P FORWARD ACCEPT\n-A FORWARD -j DROP\n",
        "-P FORWARD DROP\n-A FORWARD -m physdev --physdev-is-bridged -j DROP\n",
    ],
)
def test_chain_that_ends_in_refusal_drops_bridged_packets(rules: str) -> None:
    assert drops_bridged_packets(rules)


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "-P FORWARD ACCEPT\n",
        "-P FORWARD ACCEPT\n-A FORWARD -i eth0 -j DROP\n",
        f"-P FORWARD DROP\n{BRIDGED}",
        f"-P FORWARD ACCEPT\n{BRIDGED}-A FORWARD -j REJECT\n",
    ],
)
def test_open_chain_lets_bridged_packets_pass(rules: str) -> None:
    assert not drops_bridged_packets(rules)
