"""Trust as kubelets have it: pods of every node pull over TLS, and only where they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import checks
from harness.diagnosis import FailureCode
from harness.registry.protocols import KeepsAccessLog
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Publish
    from harness.lab import Lab


def test_private_ca_is_accepted_on_every_node(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """Pods of each node, tainted ones included, pull over TLS signed by the private authority."""
    registry = lab.find(kinds.certified("valid"))
    image = publish(registry)
    mark = registry.mark() if isinstance(registry, KeepsAccessLog) else 0.0
    own = registry.credentials
    keys = (pods.secret({registry.host: own}),) if own else ()
    judge(checks.all_succeeded(pods.pull(image.reference, *keys)))
    if isinstance(registry, KeepsAccessLog):
        judge(checks.served_by(registry.requests_since(mark), image.repository, lab.nodes))


def test_unknown_ca_is_refused_on_every_node(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """Pods of no node pull from a registry whose authority nobody gave to the nodes."""
    image = publish(lab.find(kinds.UNKNOWN_CA))
    judge(checks.all_refused(pods.pull(image.reference), FailureCode.TLS_UNKNOWN_CA))
