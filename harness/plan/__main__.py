"""Prints the plan of a run: `nox -s plan -- --scenario FILE [--kubeconfig FILE] [--json]`.

Nothing is written anywhere; a cluster is only asked what it has and what it grants.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from harness.cluster.access import access_to
from harness.cluster.existing_nodes import find_nodes
from harness.cluster.namespaces import namespaces_of
from harness.errors import HarnessError
from harness.permissions import Level, ask
from harness.plan import Plan, as_text, plan_of
from harness.plan.model import PlannedCluster
from harness.result.model import ExitCode
from harness.scenario.load import load
from harness.scenario.model import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.access import Access
    from harness.scenario.model import Scenario


def main(arguments: Sequence[str]) -> int:
    """Print a plan; the exit code is that of the run where a right is missing."""
    options = _parser().parse_args(arguments)
    try:
        scenario = load(options.scenario, on=options.cluster).scenario
        access = _access(scenario, options)
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.USAGE
    try:
        plan = _plan_on(scenario, access) if access else _plan_unasked(scenario)
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.ERROR
    sys.stdout.write(plan.to_json() if options.json else as_text(plan))
    return ExitCode.ERROR if plan.missing else ExitCode.PASSED


def _access(scenario: Scenario, options: argparse.Namespace) -> Access | None:
    """Return how to ask the cluster; None where there is none, or where none was named."""
    unnamed = not options.kubeconfig and not options.context and not os.environ.get("KUBECONFIG")
    if scenario.cluster.provider == "existing" and unnamed:
        return None
    return access_to(
        scenario.cluster,
        kubeconfig=options.kubeconfig,
        context=options.context,
        environment=os.environ,
    )


def _plan_on(scenario: Scenario, access: Access) -> Plan:
    planned = namespaces_of("planned")
    with access.api() as api:
        answers = ask(api.may, Level.PROBE, (planned.first, planned.second))
        readable = all(
            answer.granted for answer in answers if answer.right.rule.resource == "nodes"
        )
        nodes, left_out = find_nodes(api) if readable else ((), ("nodes may not be listed",))
        cluster = PlannedCluster(
            provider=scenario.cluster.provider,
            server=api.server,
            nodes=tuple(node.name for node in nodes),
            left_out=left_out,
        )
    return plan_of(scenario, cluster=cluster, answers=answers)


def _plan_unasked(scenario: Scenario) -> Plan:
    names = () if scenario.cluster.provider == "existing" else _names(scenario)
    return plan_of(scenario, cluster=PlannedCluster(scenario.cluster.provider, "", names, ()))


def _names(scenario: Scenario) -> tuple[str, ...]:
    return tuple(f"node {number}" for number in range(1, scenario.cluster.nodes + 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s plan --", description=__doc__)
    parser.add_argument("--scenario", type=Path, required=True)
    parser.add_argument("--cluster", choices=get_args(Provider))
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--context")
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
