"""Which images a scenario needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.images.model import Image

if TYPE_CHECKING:
    from harness.scenario.model import ClusterSpec, RegistrySpec, Scenario


def images_of(scenario: Scenario) -> tuple[Image, ...]:
    """Return each image that a scenario needs once, the one that takes longest first."""
    registries = (registry_image(spec) for spec in scenario.registries)
    return tuple(dict.fromkeys((node_image(scenario.cluster), *registries)))


def node_image(cluster: ClusterSpec) -> Image:
    """Return the image of a cluster's nodes."""
    return Image(f"node-{cluster.containerd}")


def registry_image(registry: RegistrySpec) -> Image:
    """Return the image of a registry."""
    return Image(f"registry-{registry.version}")
