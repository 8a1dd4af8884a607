"""Finds out whether the machine's firewall drops what containers of one network send each other.

A bridge needs no forwarding, but where the kernel's br_netfilter is on, packets that cross a
bridge also run through the machine's FORWARD chain. Its policy is DROP where another Docker
engine has ever run, or where ufw is on. Pulls would then time out and the registry would be blamed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.command import run
from harness.errors import EngineError

if TYPE_CHECKING:
    from harness.engine.programs import Programs

_BRIDGES_ARE_FILTERED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
_LEGACY_TABLES = Path("/proc/net/ip_tables_names")


def require_open_bridges(programs: Programs) -> None:
    """Raise EngineError where packets between containers of one network are dropped.

    Only reads: the machine's rules are its owner's.
    """
    if not _is_on(_BRIDGES_ARE_FILTERED):
        return
    # Listing legacy rules would make the kernel create the table.
    variants = ["nft", "legacy"] if "filter" in _read(_LEGACY_TABLES).split() else ["nft"]
    for variant in variants:
        command = (programs.iptables(variant), "-S", "FORWARD")
        rules = run(command, environment=programs.environment, timeout_seconds=10, check=False)
        if drops_bridged_packets(rules.text):
            raise EngineError(
                "this machine's firewall drops what containers of one network send each other: "
                "its FORWARD chain ends in DROP or REJECT",
                remedy="let it pass, as root: sysctl -w net.bridge.bridge-nf-call-iptables=0; or: "
                f"iptables-{variant} -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT",
            )


def drops_bridged_packets(rules: str) -> bool:
    """Whether the FORWARD chain, as `iptables -S` prints it, refuses bridged packets."""
    lines = rules.splitlines()
    refused = ("-P FORWARD DROP", "-A FORWARD -j DROP", "-A FORWARD -j REJECT")
    return any(line.startswith(refused) for line in lines) and not any(
        "--physdev-is-bridged" in line and line.endswith("-j ACCEPT") for line in lines
    )


def _is_on(switch: Path) -> bool:
    return _read(switch).strip() == "1"


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
