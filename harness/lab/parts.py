"""What a scenario's lab is made of: images, and which parts they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.images.model import Image
from harness.scenario import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.images.model import ProvidedImage
    from harness.scenario.model import (
        Capability,
        ClusterSpec,
        RegistrySpec,
        RegistryVersion,
        Scenario,
    )

NODE_IMAGES = {"1.6": Image.NODE_1_6, "1.7": Image.NODE_1_7, "2.1": Image.NODE_2_1}
KIND_IMAGES = {"1.35": Image.KIND_NODE_1_35, "1.36": Image.KIND_NODE_1_36}
REGISTRY_IMAGES: dict[RegistryVersion, Image] = {
    "2.8": Image.REGISTRY_2_8,
    "3": Image.REGISTRY_3,
}
_MONITORED_BY: Capability = "observability"
_NEED_TOOLS: frozenset[str] = frozenset({"replication", "supply_chain"})


def images_of(scenario: Scenario) -> tuple[Image, ...]:
    """Return the images that a scenario's lab is made of, the nodes' first."""
    registries = {REGISTRY_IMAGES[version] for version in _versions(scenario)}
    balancers = {
        Image.LOAD_BALANCER
        for spec in scenario.registries
        if spec.replicas > 1 or is_upstream(spec, scenario)
    }
    tools = (Image.TOOLS,) if needs_tools(scenario) else ()
    monitors = (Image.PROMETHEUS,) if monitored(scenario) else ()
    return (node_image(scenario.cluster), *sorted(registries | balancers), *tools, *monitors)


def _versions(scenario: Scenario) -> set[RegistryVersion]:
    """Return the versions of registries that run in a lab, those of upgrades too."""
    upgrades = [spec.upgrade_to for spec in scenario.registries if spec.upgrade_to]
    return {spec.version for spec in scenario.registries}.union(upgrades)


def is_upstream(spec: RegistrySpec, scenario: Scenario) -> bool:
    """Tell whether a cache fetches from a registry, so that its outages are tried."""
    return any(other.proxy_of == spec.name for other in scenario.registries)


def needs_tools(scenario: Scenario) -> bool:
    """Tell whether checks of a scenario run programs beside its registries."""
    return bool(scenario.replication) or not _NEED_TOOLS.isdisjoint(scenario.capabilities)


def node_image(spec: ClusterSpec) -> Image:
    """Return the image of a cluster's nodes; the provider has been chosen."""
    if spec.provider == "kind":
        return KIND_IMAGES[spec.kubernetes]
    return NODE_IMAGES[spec.containerd]


def monitored(scenario: Scenario) -> RegistrySpec | None:
    """Return the registry that is scraped: the first whose name leads to its one server."""
    if _MONITORED_BY not in scenario.capabilities:
        return None
    return next((spec for spec in beside(scenario) if spec.replicas == 1), None)


def beside(scenario: Scenario) -> tuple[RegistrySpec, ...]:
    """Return the registries that are containers of the engine, beside the cluster."""
    return tuple(spec for spec in scenario.registries if not kinds.IN_CLUSTER.matches(spec))


def inside(
    scenario: Scenario, images: Mapping[Image, ProvidedImage]
) -> tuple[tuple[RegistrySpec, str], ...]:
    """Return the registries that are pods of the cluster, each with its image's name."""
    return tuple(
        (spec, images[REGISTRY_IMAGES[spec.version]].reference)
        for spec in scenario.registries
        if kinds.IN_CLUSTER.matches(spec)
    )
