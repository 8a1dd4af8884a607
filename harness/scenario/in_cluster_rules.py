"""Rules on registries that run as pods of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scenario.model import TLSSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Place
    from harness.scenario.model import Scenario

    Breach = tuple[Place, str, str]


def in_a_cluster(scenario: Scenario) -> Iterator[Breach]:
    """Find registries without a cluster to run in, and such that its nodes would not trust."""
    for index, registry in enumerate(scenario.registries):
        if registry.provider != "in-cluster":
            continue
        if scenario.cluster.provider != "kind":
            other = scenario.cluster.provider
            sentence = f"{registry.name} runs as a pod, and a cluster of {other} may have none"
            remedy = "Add cluster: {provider: kind}, or run with --cluster kind."
            yield ("registries", index, "provider"), sentence, remedy
        if registry.tls != TLSSpec():
            sentence = f"{registry.name} runs as a pod without a certificate that nodes accept"
            remedy = "Give it tls: {}: a valid certificate of private-ca, and nothing else."
            yield ("registries", index), sentence, remedy


def reached_beside(scenario: Scenario) -> Iterator[Breach]:
    """Find what runs beside the cluster and would have to reach a registry inside: nothing can."""
    inside = {
        registry.name: index
        for index, registry in enumerate(scenario.registries)
        if registry.provider == "in-cluster"
    }
    remedy = "Name a registry of the provider distribution."
    for index, registry in enumerate(scenario.registries):
        if registry.proxy_of in inside:
            sentence = f"{registry.name} is a cache of {registry.proxy_of}, which only nodes reach"
            yield ("registries", index, "proxyOf"), sentence, remedy
    for index, copied in enumerate(scenario.replication):
        for key, name in (("source", copied.source), ("destination", copied.destination)):
            if name in inside:
                sentence = f"{name} takes part in a replication, but only nodes reach it"
                yield ("replication", index, key), sentence, remedy
    if "supply_chain" in scenario.capabilities:
        for name, index in inside.items():
            sentence = f"only nodes reach {name}, but programs of supply_chain would have to"
            other = "Select other capabilities, or change the provider."
            yield ("registries", index, "provider"), sentence, other
