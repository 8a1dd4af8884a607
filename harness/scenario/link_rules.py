"""Rules on the way from a registry to everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Place
    from harness.scenario.model import Scenario

    Breach = tuple[Place, str, str]


def links(scenario: Scenario) -> Iterator[Breach]:
    """Find links that change nothing, and those of several servers."""
    for index, registry in enumerate(scenario.registries):
        link, place = registry.link, ("registries", index, "link")
        if link is None:
            continue
        if link.rate_mbit is None and link.delay_ms is None:
            sentence = f"the link of {registry.name} is neither limited nor delayed"
            yield place, sentence, "Add rateMbit, delayMs or both; or remove link."
        if registry.replicas > 1:
            sentence = f"{registry.name} has replicas, but a link is that of one server"
            yield place, sentence, "Remove link, or replicas."
