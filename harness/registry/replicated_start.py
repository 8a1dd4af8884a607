"""Starts registries of several replicas with their load balancer, and takes them down."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.engine import Bind, ContainerSpec
from harness.pool import Pool
from harness.registry import distribution_config as config
from harness.registry import haproxy
from harness.registry.distribution import registry_names
from harness.registry.distribution_start import configure, prepare, remove, server
from harness.registry.replicated import attach
from harness.secret import new_password

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry, RegistryHandle
    from harness.scenario.model import RegistrySpec
    from harness.secret import Secret
    from harness.trust import Authority

BALANCER_FOLDER: Final = "load-balancer"


def container_names(name: str, replicas: int) -> tuple[str, ...]:
    """Return the names of all containers of a registry: its replicas', and the load balancer's.

    Names of registries have no dots, so no other registry can have one of these.
    """
    return (*(f"{name}.{number}" for number in range(1, replicas + 1)), f"{name}.load-balancer")


@contextmanager
def replicated_registry(
    spec: RegistrySpec,
    *,
    engine: Engine,
    image_id: str,
    load_balancer_image_id: str,
    network: str,
    labels: Mapping[str, str],
    name: str,
    folder: Path,
    authorities: Mapping[str, Authority],
    run_secret: Secret | None = None,
) -> Generator[DistributionRegistry]:
    """Start a registry of `spec.replicas` servers, give it when all of them are in service.

    The replicas have one volume, one configuration and so one `http.secret`; the load balancer
    has the registry's name. Everything else is as `distribution_registry` tells.
    """
    *replicas, balancer = container_names(name, spec.replicas)
    try:
        handle = replace(
            prepare(spec, replicas[0], folder, authorities, run_secret),
            replicas=tuple(replicas),
            load_balancer=balancer,
        )
        configure(handle, new_password(run_secret))
        volume = engine.create_volume(replicas[0], labels)
        specs = [
            replace(
                server(replace(handle, container=each), image_id, network, labels, volume=volume),
                hostname=f"{spec.name}-{number}",
                aliases=(_address(spec, number),),
            )
            for number, each in enumerate(replicas, start=1)
        ]
        with Pool(len(specs)) as pool:
            list(pool.map(engine.start, specs))
        engine.start(_balancer(handle, load_balancer_image_id, network, labels))
        registry = attach(handle, engine)
        registry.wait_until_healthy()
        yield registry
    finally:
        remove(engine, (*replicas, balancer), folder)


def _address(spec: RegistrySpec, number: int) -> str:
    """Return the DNS name of one replica, which no certificate names."""
    return f"{number}.{registry_names(spec)[0]}"


def _balancer(
    handle: RegistryHandle, image_id: str, network: str, labels: Mapping[str, str]
) -> ContainerSpec:
    spec = handle.spec
    folder = handle.folder / BALANCER_FOLDER
    folder.mkdir()
    servers = [
        (f"{spec.name}-{number}", _address(spec, number)) for number in range(1, spec.replicas + 1)
    ]
    verified = spec.tls is not None and spec.tls.certificate == "valid"
    text = haproxy.configuration(
        servers,
        port=config.PORT,
        health_port=config.METRICS_PORT,
        health_path=config.HEALTH_PATH,
        verified_name=registry_names(spec)[0] if verified else "",
    )
    (folder / haproxy.AUTHORITY_FILE).write_bytes(handle.authority)
    (folder / haproxy.CONFIGURATION_FILE).write_text(text)
    return ContainerSpec(
        name=handle.load_balancer,
        image=image_id,
        hostname=f"{spec.name}-load-balancer",
        labels=labels,
        network=network,
        aliases=registry_names(spec),
        binds=(Bind(folder, haproxy.CONFIGURATION_FOLDER),),
        # The published image asks with SIGUSR1: HAProxy takes no more connections and waits for
        # the end of those that it has, which runtimes keep for 30 s.
        stop_signal="SIGTERM",
    )
