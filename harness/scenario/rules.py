"""Rules that span several keys of a scenario; each yields what breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scenario.complaints import did_you_mean
from harness.scenario.document import Problem, place_text
from harness.scenario.in_cluster_rules import in_a_cluster, reached_beside
from harness.scenario.link_rules import links
from harness.scenario.model import (
    CAPABILITIES,
    DOCKER_HUB,
    Ability,
    Capability,
    Measure,
    RegistrySpec,
    Scenario,
    SizeClass,
)
from harness.scenario.provider_rules import fitting_fields, fitting_providers
from harness.scenario.proxy_rules import proxies
from harness.scenario.replica_rules import replicas
from harness.scenario.replication_rules import copied_registries, one_way_copies, timed_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.scenario.document import Document, Place

    Breach = tuple[Place, str, str]
    Rule = Callable[[Scenario], Iterator[Breach]]

MEASURED_BY: dict[Measure, Capability] = {
    "cold_pull_p95_seconds": "latency",
    "concurrent_cold_pull_p95_seconds": "latency",
    "warm_pull_p95_seconds": "latency",
    "registry_memory_bytes": "resources",
    "registry_memory_left_bytes": "resources",
    "registry_open_files": "resources",
    "registry_open_files_left": "resources",
    "registry_cpu_seconds_per_gib": "resources",
    "slow_clients_pull_p95_seconds": "resources",
    "large_layer_push_seconds": "resources",
    "large_layer_pull_seconds": "resources",
    "tag_list_seconds": "resources",
    "pod_pull_p95_seconds": "kubelet",
    "pod_pull_queue_p95_seconds": "kubelet",
    "fleet_cold_pull_p95_seconds": "latency",
    "rollout_seconds": "kubelet",
    "failed_pull_ratio": "ha",
    "error_budget_used_ratio": "ha",
    "recovery_seconds": "ha",
    "local_speedup": "mirror",
    "upstream_bytes_saved_ratio": "mirror",
    "replication_lag_p95_seconds": "replication",
    "backup_seconds": "backup",
    "backup_size_bytes": "backup",
    "restore_seconds": "backup",
}
# Measures that must be large; all others must be small.
_AT_LEAST: tuple[Measure, ...] = ("local_speedup", "upstream_bytes_saved_ratio")
# What a system must offer for a measure to be taken; absent are those that take nodes alone.
MEASURED_WITH: dict[Measure, Ability] = {
    "pod_pull_p95_seconds": "KubernetesAccess",
    "pod_pull_queue_p95_seconds": "KubernetesAccess",
    "fleet_cold_pull_p95_seconds": "KubernetesAccess",
    "rollout_seconds": "KubernetesAccess",
    "registry_memory_bytes": "ReportsUsage",
    "registry_memory_left_bytes": "ReportsUsage",
    "registry_open_files": "ReportsUsage",
    "registry_open_files_left": "ReportsUsage",
    "registry_cpu_seconds_per_gib": "ReportsUsage",
    "slow_clients_pull_p95_seconds": "Restarts",
    "large_layer_pull_seconds": "RuntimeAccess",
    "failed_pull_ratio": "HasReplicas",
    "error_budget_used_ratio": "HasReplicas",
    "recovery_seconds": "HasReplicas",
    "backup_seconds": "BacksUp",
    "backup_size_bytes": "BacksUp",
    "restore_seconds": "BacksUp",
}
_NEEDS_SIZE_CLASS = (
    "cold_pull_p95_seconds",
    "concurrent_cold_pull_p95_seconds",
    "pod_pull_p95_seconds",
    *_AT_LEAST,
)
_BY_PODS = ("pod_pull_p95_seconds", "fleet_cold_pull_p95_seconds")
_PER_SIZE_CLASS = (*_NEEDS_SIZE_CLASS, "warm_pull_p95_seconds", "fleet_cold_pull_p95_seconds")
_SIZES = {"max": "small", "min": "large"}


def broken_rules(
    scenario: Scenario, document: Document, *, unsound: frozenset[str]
) -> tuple[Problem, ...]:
    """Return every breach; rules that read an `unsound` section wait until it is mended."""
    return tuple(
        Problem(document.line(place), place, sentence, remedy)
        for rule, sections in _RULES
        if not sections & unsound
        for place, sentence, remedy in rule(scenario)
    )


def _primary(scenario: Scenario) -> Iterator[Breach]:
    primary = scenario.primary
    place: Place = ("registries", 0)
    remedy = "Put the registry that is to be judged first; keep the others below it."
    if primary.mirror_of is not None:
        sentence = f"{primary.name} is the first registry, the one under test, but a mirror"
        yield (*place, "mirrorOf"), sentence, remedy
    if primary.tls is not None and primary.tls.certificate != "valid":
        wrong = f"has a certificate that is {primary.tls.certificate}"
        sentence = f"{primary.name} is the first registry, the one under test, but {wrong}"
        yield (*place, "tls", "certificate"), sentence, remedy
    if not primary.declared_on_nodes:
        sentence = f"{primary.name} is the first registry, the one under test, but nodes ignore it"
        yield (*place, "declaredOnNodes"), sentence, remedy


def _registry_names(scenario: Scenario) -> Iterator[Breach]:
    names = [registry.name for registry in scenario.registries]
    for index in _repeated(names):
        yield (
            ("registries", index, "name"),
            f"two registries are named {names[index]}",
            "Give each registry a name of its own.",
        )


def _authorities(scenario: Scenario) -> Iterator[Breach]:
    for index, registry in enumerate(scenario.registries):
        tls = registry.tls
        if tls is not None and tls.issuer == "another-ca" and registry.declared_on_nodes:
            yield (
                ("registries", index, "tls", "issuer"),
                f"{registry.name} is declared on nodes, but its issuer another-ca never is",
                "Add declaredOnNodes: false, or let private-ca issue the certificate.",
            )


def _mirrors(scenario: Scenario) -> Iterator[Breach]:
    known = {registry.name: registry for registry in scenario.registries}
    for index, registry in enumerate(scenario.registries):
        if registry.mirror_of is None:
            continue
        place: Place = ("registries", index, "mirrorOf")
        if not registry.declared_on_nodes:
            sentence = f"{registry.name} is a mirror that nodes do not know"
            remedy = "Remove declaredOnNodes: false, or mirrorOf."
            yield ("registries", index, "declaredOnNodes"), sentence, remedy
        if registry.mirror_of == DOCKER_HUB:
            continue
        origin = known.get(registry.mirror_of)
        if origin is None:
            others = [name for name in known if name != registry.name]
            yield (
                place,
                f"{registry.name} mirrors {registry.mirror_of}, which is no registry of this file",
                f"{did_you_mean(registry.mirror_of, others)}Name another registry of this file.",
            )
        else:
            yield from _mirror(registry, origin, index)


def _mirror(registry: RegistrySpec, origin: RegistrySpec, index: int) -> Iterator[Breach]:
    place: Place = ("registries", index, "mirrorOf")
    if origin.name == registry.name:
        sentence = f"{registry.name} mirrors itself"
        yield place, sentence, "Name another registry of this file."
    elif origin.mirror_of is not None:
        sentence = f"{registry.name} mirrors {origin.name}, which is a mirror itself"
        yield place, sentence, f"Name a registry that is no mirror, such as {origin.mirror_of}."
    elif not origin.declared_on_nodes:
        sentence = f"{registry.name} mirrors {origin.name}, which nodes do not know"
        yield place, sentence, f"Remove declaredOnNodes: false from {origin.name}."


def _upgrades(scenario: Scenario) -> Iterator[Breach]:
    for index, registry in enumerate(scenario.registries):
        place: Place = ("registries", index, "upgradeTo")
        if registry.upgrade_to == registry.version:
            sentence = f"{registry.name} is of version {registry.version} already"
            yield place, sentence, "Remove upgradeTo, or name another version."
        elif registry.upgrade_to is not None and registry.proxy_of is not None:
            sentence = f"{registry.name} is a cache, whose content nobody has to keep"
            yield place, sentence, "Remove upgradeTo: an empty cache of the new version will do."
        elif registry.upgrade_to is not None and registry.replicas > 1:
            sentence = f"{registry.name} has several replicas, and one server would replace them"
            yield place, sentence, "Remove upgradeTo, or replicas."


def _lists(scenario: Scenario) -> Iterator[Breach]:
    lists: tuple[tuple[Place, Sequence[str]], ...] = (
        (("capabilities",), scenario.capabilities),
        (("latency", "sizeClasses"), scenario.latency.size_classes),
        (("latency", "podSizeClasses"), scenario.latency.pod_size_classes or ()),
        (("mirror", "sizeClasses"), scenario.mirror.size_classes),
    )
    for place, words in lists:
        for index in _repeated(words):
            sentence = f"{words[index]} stands twice in {place_text(place)}"
            yield (*place, index), sentence, "Name it once."


def _target_sizes(scenario: Scenario) -> Iterator[Breach]:
    for index, target in enumerate(scenario.targets):
        place: Place = ("targets", index)
        key, classes = _measured_sizes(target.measure, scenario)
        measured = ", ".join(classes)
        if target.measure in _NEEDS_SIZE_CLASS and target.size_class is None:
            sentence = f"the target for {target.measure} lacks a sizeClass"
            yield place, sentence, f"Add sizeClass, one of those measured: {measured}."
        if target.size_class is None:
            continue
        if target.measure not in _PER_SIZE_CLASS:
            sentence = f"{target.measure} is measured once, not per size class"
            yield (*place, "sizeClass"), sentence, "Remove sizeClass."
        elif target.size_class not in classes:
            sentence = f"the target names {target.size_class}, which is not measured"
            remedy = f"Add it to {key}, or name one of those: {measured}."
            yield (*place, "sizeClass"), sentence, remedy


def _measured_sizes(measure: Measure, scenario: Scenario) -> tuple[str, Sequence[SizeClass]]:
    """Return the key that lists a measure's size classes, and those that it lists."""
    if MEASURED_BY[measure] == "mirror":
        return "mirror.sizeClasses", scenario.mirror.size_classes
    latency = scenario.latency
    if measure in _BY_PODS and latency.pod_size_classes:
        return "latency.podSizeClasses", latency.pod_size_classes
    return "latency.sizeClasses", latency.size_classes


def _target_limits(scenario: Scenario) -> Iterator[Breach]:
    for index, target in enumerate(scenario.targets):
        wanted, other = ("min", "max") if target.measure in _AT_LEAST else ("max", "min")
        if getattr(target, other) is not None:
            sentence = f"{target.measure} is to be {_SIZES[wanted]}, so it has no {other}"
            yield ("targets", index, other), sentence, f"Give it {wanted} instead."
        elif getattr(target, wanted) is None:
            sentence = f"the target for {target.measure} lacks {wanted}"
            yield ("targets", index), sentence, f"Add {wanted}: a number above 0."


def _targets(scenario: Scenario) -> Iterator[Breach]:
    for index, target in enumerate(scenario.targets):
        capability = MEASURED_BY[target.measure]
        if capability not in scenario.capabilities:
            sentence = f"{target.measure} has a target, but {capability} is not selected"
            remedy = f"Add {capability} to capabilities, or remove the target."
            yield ("targets", index, "measure"), sentence, remedy
    for index in _repeated([(target.measure, target.size_class) for target in scenario.targets]):
        sentence = f"{scenario.targets[index].measure} has two targets for the same size class"
        yield ("targets", index), sentence, "Keep one of the two."


def _waivers(scenario: Scenario) -> Iterator[Breach]:
    for index, waiver in enumerate(scenario.waivers):
        if (waiver.check is None) == (waiver.ability is None):
            amount = "neither a check nor an ability" if waiver.check is None else "two things"
            remedy = "Give it exactly one of the keys check and ability."
            yield ("waivers", index), f"the waiver names {amount}", remedy
        if waiver.check is not None:
            yield from _waived_check(waiver.check, scenario, ("waivers", index, "check"))
    keys: tuple[tuple[str, list[str | None]], ...] = (
        ("check", [waiver.check for waiver in scenario.waivers]),
        ("ability", [waiver.ability for waiver in scenario.waivers]),
    )
    for key, names in keys:
        for index in _repeated(names):
            if names[index] is not None:
                sentence = f"{names[index]} is waived twice"
                yield ("waivers", index, key), sentence, "Keep one of the two."


def _waived_check(check: str, scenario: Scenario, place: Place) -> Iterator[Breach]:
    capability = check.partition(".")[0]
    if capability not in CAPABILITIES:
        remedy = f"{did_you_mean(capability, CAPABILITIES)}Ids begin with the capability."
        yield place, f"{check} is not the id of a check", remedy
    elif capability not in scenario.capabilities:
        sentence = f"{check} is waived, but {capability} is not selected"
        yield place, sentence, f"Remove the waiver, or add {capability} to capabilities."


def _repeated(things: Sequence[object]) -> list[int]:
    """Return the indexes of things that have stood before."""
    return [index for index, thing in enumerate(things) if thing in things[:index]]


# Each rule beside the top-level sections that it reads.
_RULES: tuple[tuple[Rule, frozenset[str]], ...] = (
    (_primary, frozenset({"registries"})),
    (links, frozenset({"registries"})),
    (replicas, frozenset({"registries", "capabilities"})),
    (_registry_names, frozenset({"registries"})),
    (_authorities, frozenset({"registries"})),
    (_mirrors, frozenset({"registries"})),
    (_upgrades, frozenset({"registries"})),
    (proxies, frozenset({"registries"})),
    (fitting_fields, frozenset({"registries"})),
    (fitting_providers, frozenset({"registries", "cluster"})),
    (in_a_cluster, frozenset({"registries", "cluster"})),
    (reached_beside, frozenset({"registries", "replication", "capabilities"})),
    (copied_registries, frozenset({"registries", "replication"})),
    (one_way_copies, frozenset({"replication"})),
    (timed_copies, frozenset({"replication"})),
    (_lists, frozenset({"capabilities", "latency", "mirror"})),
    (_target_sizes, frozenset({"targets", "latency", "mirror"})),
    (_target_limits, frozenset({"targets"})),
    (_targets, frozenset({"targets", "capabilities"})),
    (_waivers, frozenset({"waivers", "capabilities"})),
)
