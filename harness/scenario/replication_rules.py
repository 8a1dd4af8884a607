"""Rules on which registry is kept equal to which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scenario.complaints import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Place
    from harness.scenario.model import RegistrySpec, ReplicationSpec, Scenario

    Breach = tuple[Place, str, str]


def copied_registries(scenario: Scenario) -> Iterator[Breach]:
    """Find sources and destinations that the file does not have or that no tool can reach."""
    known = {registry.name: registry for registry in scenario.registries}
    for index, replication in enumerate(scenario.replication):
        ends = {"source": replication.source, "destination": replication.destination}
        for key, name in ends.items():
            place: Place = ("replication", index, key)
            if name not in known:
                sentence = f"{name}, the {key} of a replication, is no registry of this file"
                remedy = f"{did_you_mean(name, known)}Name a registry of this file."
                yield place, sentence, remedy
            elif _out_of_reach(known[name]):
                sentence = f"{name} takes part in a replication, whose tool does not trust it"
                remedy = "Give it tls: {}: a valid certificate of private-ca, and nothing else."
                yield place, sentence, remedy
            elif key == "source" and replication.trigger == "onPush" and known[name].replicas > 1:
                sentence = f"the replicas of {name} would tell of its changes in no order"
                yield place, sentence, "Add trigger: schedule and everySeconds."
            elif key == "destination" and known[name].proxy_of is not None:
                sentence = f"{name} is a pull-through cache, which takes no pushes"
                yield place, sentence, "Name a registry that is none."
        providers = {known[name].provider for name in ends.values() if name in known}
        if len(providers) > 1 and "existing" in providers:
            sentence = f"only one of {replication.source} and {replication.destination} exists"
            remedy = "Replicate between registries of one provider."
            yield ("replication", index), sentence, remedy


def one_way_copies(scenario: Scenario) -> Iterator[Breach]:
    """Find registries that would be overwritten by two others, or by themselves in the end."""
    fed: dict[str, str] = {}
    for index, replication in enumerate(scenario.replication):
        source, destination = replication.source, replication.destination
        place: Place = ("replication", index, "destination")
        if destination in fed:
            sentence = f"{destination} is the destination of two replications"
            yield place, sentence, "Give each its own: one would delete what the other copies."
        elif destination in _origins(source, fed):
            sentence = f"{destination} would be copied to itself: {_round(source, fed)}"
            yield place, sentence, "Replicate in one direction only."
        else:
            fed[destination] = source


def timed_copies(scenario: Scenario) -> Iterator[Breach]:
    """Find schedules without a period, periods without a schedule, and too little patience."""
    for index, replication in enumerate(scenario.replication):
        scheduled = replication.trigger == "schedule"
        if scheduled != (replication.every_seconds is not None):
            yield (("replication", index, "everySeconds"), *_untimed(replication))
        if scheduled and replication.within_seconds <= (replication.every_seconds or 0):
            sentence = "withinSeconds ends before the next copy begins"
            remedy = "Make it longer than everySeconds, by what a copy takes."
            yield ("replication", index, "withinSeconds"), sentence, remedy


def _out_of_reach(registry: RegistrySpec) -> bool:
    """Tell whether the tool of a lab cannot speak to a registry."""
    if registry.provider == "existing":
        return False
    tls = registry.tls
    return tls is None or (tls.issuer, tls.certificate, tls.client_certificate) != (
        "private-ca",
        "valid",
        "ignored",
    )


def _untimed(replication: ReplicationSpec) -> tuple[str, str]:
    if replication.trigger == "schedule":
        return "a replication on a schedule lacks everySeconds", "Add everySeconds: 60."
    return "everySeconds is for a schedule", "Remove it, or add trigger: schedule."


def _origins(registry: str, fed: dict[str, str]) -> list[str]:
    """Return a registry and all that it is copied from, the nearest first."""
    chain = [registry]
    while chain[-1] in fed:
        chain.append(fed[chain[-1]])
    return chain


def _round(source: str, fed: dict[str, str]) -> str:
    chain = _origins(source, fed)
    return " to ".join((*reversed(chain), chain[-1]))
