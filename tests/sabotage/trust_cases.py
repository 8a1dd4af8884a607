"""Broken trust: nodes and registries that the suite `trust` must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cluster.protocols import RuntimeAccess
from harness.findings import Code
from harness.hosts_toml import Host, HostsFile, render
from harness.lab import ability
from harness.lab.certs_d import hosts_file
from harness.scenario import kinds
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab


def _node_2(lab: Lab) -> RuntimeAccess:
    return ability(lab.nodes[1], RuntimeAccess)


def _trust_whoever_answers(node: RuntimeAccess, host: str) -> None:
    """Turn verification off for one host, in the form that every containerd reads."""
    server = Host(f"https://{host}", skip_verify=True)
    node.write_file(hosts_file(host), render(HostsFile(server)).encode())


def _trust_the_unknown_authority(lab: Lab) -> None:
    _trust_whoever_answers(_node_2(lab), lab.find(kinds.UNKNOWN_CA).host)


CASES = (
    Case(
        name="node-trusts-the-unknown-authority",
        suite="trust",
        sabotage=Sabotage(lab_started=_trust_the_unknown_authority),
        turns_red={
            "trust.unknown-ca-is-refused": Code.PULL_ACCEPTED,
            "trust.hosts-files-are-sound": Code.CONFIGURATION,
        },
        subjects=frozenset({"node-2"}),
    ),
)
