"""Rules on registries of several replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Place
    from harness.scenario.model import Capability, Scenario

    Breach = tuple[Place, str, str]

_TELL_NODES_APART: tuple[Capability, ...] = ("trust", "pull_secrets", "latency", "kubelet")


def replicas(scenario: Scenario) -> Iterator[Breach]:
    """Find replicas that cannot be what else the file says of them."""
    for index, registry in enumerate(scenario.registries):
        if registry.replicas == 1:
            continue
        place: Place = ("registries", index, "replicas")
        if registry.proxy_of is not None:
            sentence = f"{registry.name} is a cache with replicas, which would each fetch alone"
            yield place, sentence, "Remove replicas, or proxyOf."
    yield from _clients(scenario)


def _clients(scenario: Scenario) -> Iterator[Breach]:
    """Find checks that look for nodes in a log that only knows the load balancer."""
    primary = scenario.primary
    asking = [each for each in scenario.capabilities if each in _TELL_NODES_APART]
    if primary.replicas > 1 and asking:
        sentence = (
            f"the replicas of {primary.name} see the load balancer for all nodes, but "
            f"{', '.join(asking)} must tell nodes apart by the registry's log"
        )
        remedy = "Put a registry without replicas first, or select other capabilities."
        yield ("registries", 0, "replicas"), sentence, remedy
