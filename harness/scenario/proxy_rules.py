"""Rules on pull-through caches and what they fetch from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scenario.complaints import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Place
    from harness.scenario.model import RegistrySpec, Scenario

    Breach = tuple[Place, str, str]


def proxies(scenario: Scenario) -> Iterator[Breach]:
    """Find caches that nodes do not ask, or that cannot fetch from their upstream."""
    known = {registry.name: registry for registry in scenario.registries}
    for index, cache in enumerate(scenario.registries):
        if cache.proxy_of is None:
            continue
        yield from _own_place(cache, index)
        upstream = known.get(cache.proxy_of)
        if upstream is None:
            others = [name for name in known if name != cache.name]
            meant = did_you_mean(cache.proxy_of, others)
            sentence = f"{cache.name} is a cache of {cache.proxy_of}, no registry of this file"
            yield _place(index), sentence, f"{meant}Name another registry of this file."
        else:
            yield from _upstream(cache, upstream, index)
            yield from _origin_of_both(upstream, scenario, index)


def _place(index: int) -> Place:
    return ("registries", index, "proxyOf")


def _own_place(cache: RegistrySpec, index: int) -> Iterator[Breach]:
    if index == 0:
        sentence = f"{cache.name} is the first registry, the one under test, but a cache"
        remedy = "Put the registry that is to be judged first; keep the others below it."
        yield _place(index), sentence, remedy
    if cache.mirror_of is not None:
        sentence = f"{cache.name} is a mirror and a cache at once"
        yield _place(index), sentence, "Remove proxyOf, or mirrorOf."
    if not cache.declared_on_nodes:
        sentence = f"{cache.name} is a cache that nodes do not know"
        remedy = "Remove declaredOnNodes: false, or proxyOf."
        yield ("registries", index, "declaredOnNodes"), sentence, remedy


def _upstream(cache: RegistrySpec, upstream: RegistrySpec, index: int) -> Iterator[Breach]:
    of = f"{cache.name} is a cache of {upstream.name}"
    if upstream.name == cache.name:
        yield _place(index), f"{cache.name} is a cache of itself", "Name another registry."
    elif upstream.asked_first_for is not None:
        sentence = f"{of}, which is a mirror or a cache itself"
        yield _place(index), sentence, f"Name its origin: {upstream.asked_first_for}."
    elif not upstream.declared_on_nodes:
        sentence = f"{of}, which nodes do not know"
        yield _place(index), sentence, f"Remove declaredOnNodes: false from {upstream.name}."
    if upstream.tls is not None and upstream.tls.certificate != "valid":
        sentence = f"{of}, whose certificate it refuses: {upstream.tls.certificate}"
        yield _place(index), sentence, f"Give {upstream.name} a valid certificate."
    if upstream.tls is not None and upstream.tls.client_certificate == "required":
        sentence = f"{of}, which requires a client certificate: caches have none"
        yield _place(index), sentence, f"Remove clientCertificate from {upstream.name}."
    # registry/proxy/proxyregistry.go: 2.8 answers challenges for tokens only, 3 basic ones too.
    if upstream.auth is not None and cache.version == "2.8":
        sentence = f"{of}, which has accounts, but Distribution 2.8 logs in nowhere by htpasswd"
        yield _place(index), sentence, f'Give {cache.name} version: "3".'


def _origin_of_both(upstream: RegistrySpec, scenario: Scenario, index: int) -> Iterator[Breach]:
    """Refuse mirrors beside caches: each would hide from checks what the other does."""
    for other in scenario.registries:
        if other.mirror_of == upstream.name:
            sentence = f"{upstream.name} has a cache, but {other.name} mirrors it as well"
            yield _place(index), sentence, "Give the cache an upstream that nobody mirrors."
