"""The access log of a registry against the pulls that were recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness import checks
from harness.lab import ability, credentials_of
from harness.registry.protocols import HasLoadBalancer, KeepsAccessLog
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.history import History
    from harness.lab import Lab
    from harness.registry.protocols import Registry


def test_access_log_accounts_for_every_pull(
    lab: Lab, publish: Publish, pull: Pull, history: History, judge: Judge
) -> None:
    """Each recorded pull is in the log with all that the node fetched, each refusal as one."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    log = ability(registry, KeepsAccessLog)
    mark = log.mark()
    image, refused = publish(registry, layers=2), publish(registry)
    judge(checks.all_succeeded(pull(image.reference, registry.credentials)))
    pull(refused.reference, replace(credentials_of(registry), password=lab.new_password()))
    blobs = {
        image.reference: [blob.digest for blob in (image.image.config, *image.image.layers)],
        refused.reference: [],
    }
    requests = log.requests_since(mark)
    judge(
        checks.accounts_for(
            registry.host, history.operations, blobs, requests, _clients(lab, registry)
        )
    )


def _clients(lab: Lab, registry: Registry) -> dict[str, str]:
    """Return under which address the registry sees each node."""
    if isinstance(registry, HasLoadBalancer):
        return dict.fromkeys((node.name for node in lab.nodes), registry.load_balancer.address)
    return {node.name: node.address for node in lab.nodes}
