"""Rules on what only fits things that are built, or only such as exist already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Place
    from harness.scenario.model import RegistrySpec, Scenario

    Breach = tuple[Place, str, str]

_IN_CLUSTER = ("version", "tls", "auth")
# Keys that only some providers have.
_KEYS = {
    "distribution": (
        *_IN_CLUSTER,
        *("upgrade_to", "blob_descriptor_cache", "mirror_of", "proxy_of", "link"),
        *("declared_on_nodes", "replicas"),
    ),
    "in-cluster": _IN_CLUSTER,
    "existing": (
        *("host", "address", "plain_http", "ca_file"),
        *("credentials_file", "repository_prefix"),
    ),
}


def fitting_fields(scenario: Scenario) -> Iterator[Breach]:
    """Find keys of registries that another provider has, and registries without an address."""
    for index, registry in enumerate(scenario.registries):
        yield from _unfit(registry, ("registries", index))
        if registry.provider == "existing" and registry.host is None:
            sentence = f"{registry.name} exists already, but its host is missing"
            remedy = "Add host as it stands in image references: registry.example.com:5000."
            yield ("registries", index, "provider"), sentence, remedy
        if registry.plain_http and registry.ca_file is not None:
            sentence = f"{registry.name} speaks plain HTTP, so no caFile can judge it"
            yield ("registries", index, "caFile"), sentence, "Remove caFile, or plainHttp."


def fitting_providers(scenario: Scenario) -> Iterator[Breach]:
    """Find registries that the nodes of the cluster cannot reach.

    A lab is closed in itself, and clusters that exist know nothing of a lab's registries.
    """
    exists = scenario.cluster.provider == "existing"
    for index, registry in enumerate(scenario.registries):
        place: Place = ("registries", index, "provider")
        if exists and registry.provider != "existing":
            sentence = f"the cluster exists already, but {registry.name} would be built in a lab"
            remedy = "Give it provider: existing and its host, or let the cluster be built too."
            yield place, sentence, remedy
        elif registry.provider == "existing" and not exists:
            sentence = f"{registry.name} exists already, but nodes of a lab do not reach it"
            yield place, sentence, "Add cluster: {provider: existing}, or let it be built too."


def _unfit(registry: RegistrySpec, place: Place) -> Iterator[Breach]:
    fields = type(registry).model_fields
    for name in fields:
        having = [provider for provider, keys in _KEYS.items() if name in keys]
        if having and registry.provider not in having and name in registry.model_fields_set:
            key = fields[name].alias or name
            sentence = (
                f"{key} is for the provider {' or '.join(having)}, but {registry.name} is not of it"
            )
            yield (*place, key), sentence, f"Remove {key}, or change the provider."
