"""Starts registries of the provider `distribution` and takes them down."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.engine import ContainerSpec
from harness.registry import distribution_config as config
from harness.registry.distribution import (
    CONFIGURATION_FOLDER,
    LOG_FOLDER,
    USERNAME,
    RegistryHandle,
    accounts_of,
    attach,
    registry_names,
)
from harness.registry.stand_in import prepare_stand_in, stand_in_name
from harness.secret import Credentials, new_password
from harness.trust import certificate_facts

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry
    from harness.scenario.model import RegistrySpec, TLSSpec
    from harness.secret import Secret
    from harness.trust import Authority

# What a certificate is issued for that does not name its registry.
_WRONG_NAME: Final = "elsewhere.pullproof.test"


@contextmanager
def distribution_registry(
    spec: RegistrySpec,
    *,
    engine: Engine,
    image_id: str,
    network: str,
    labels: Mapping[str, str],
    name: str,
    folder: Path,
    authorities: Mapping[str, Authority],
    run_secret: Secret | None = None,
    upstream: DistributionRegistry | None = None,
    receivers: Sequence[str] = (),
    stand_in_image_id: str = "",
) -> Generator[DistributionRegistry]:
    """Start a registry, give it when it is healthy, and remove it with its storage at the end.

    `name` is the name of its container and volume, unique in the engine; `folder` is its own
    and is made and removed. `authorities` are those that the scenario knows, by name.
    `run_secret` begins all passwords, so that looking for it finds them in outputs.
    `upstream`, which must answer already, is what a pull-through cache fetches from;
    `receivers` are URLs that are notified of each change. `stand_in_image_id` is the image of
    what can take its place, empty where nothing will.
    Raises RegistryError when it does not become healthy.
    """
    try:
        fetching = None if upstream is None else _upstream(upstream)
        handle = prepare(spec, name, folder, authorities, run_secret)
        configure(handle, new_password(run_secret), fetching, receivers)
        if stand_in_image_id:
            other = _stand_in(handle, stand_in_image_id, network, labels)
            handle = replace(handle, stand_in=other)
        volume = engine.create_volume(name, labels)
        container = server(handle, image_id, network, labels, volume=volume)
        engine.start(
            replace(
                container,
                hostname=spec.name,
                aliases=registry_names(spec),
                environment=config.environment(spec, fetching),
            )
        )
        registry = attach(handle, engine)
        registry.wait_until_healthy()
        yield registry
    finally:
        remove(engine, (name, stand_in_name(name)), folder)


def server(
    handle: RegistryHandle, image_id: str, network: str, labels: Mapping[str, str], *, volume: str
) -> ContainerSpec:
    """Return the container of a registry as its handle names it; nobody finds it by name yet."""
    return ContainerSpec(
        name=handle.container,
        image=image_id,
        entrypoint=config.command(handle.spec),
        environment=config.environment(handle.spec),
        labels=labels,
        network=network,
        binds=handle.binds,
        volumes={volume: config.STORAGE_FOLDER},
    )


def prepare(
    spec: RegistrySpec,
    name: str,
    folder: Path,
    authorities: Mapping[str, Authority],
    run_secret: Secret | None,
) -> RegistryHandle:
    """Write what the container reads, for our eyes only, and return what others need."""
    mounted = folder / CONFIGURATION_FOLDER
    mounted.mkdir(mode=0o700, parents=True)
    (folder / LOG_FOLDER).mkdir(mode=0o700)
    _write(folder / LOG_FOLDER / config.LOG_FILE, "")
    credentials = None
    if spec.auth is not None:
        credentials = Credentials(USERNAME, new_password(run_secret))
        accounts_of(folder).set_password(credentials.username, credentials.password)
    handle = RegistryHandle(spec=spec, container=name, folder=folder, credentials=credentials)
    return handle if spec.tls is None else _prepare_tls(handle, spec.tls, authorities)


def _stand_in(
    handle: RegistryHandle, image_id: str, network: str, labels: Mapping[str, str]
) -> ContainerSpec:
    """Return what can take the place of a registry's container: its names and certificate."""
    mounted = handle.folder / CONFIGURATION_FOLDER
    parts = (mounted / config.CERTIFICATE_FILE, mounted / config.KEY_FILE)
    return prepare_stand_in(
        ContainerSpec(
            name=stand_in_name(handle.container),
            image=image_id,
            hostname=f"{handle.spec.name}-stand-in",
            labels=labels,
            network=network,
            aliases=registry_names(handle.spec),
        ),
        handle.folder,
        certificate="".join(part.read_text() for part in parts) if handle.spec.tls else "",
    )


def _upstream(registry: DistributionRegistry) -> config.Upstream:
    return config.Upstream(registry.endpoint.base_url, registry.credentials, registry.ca)


def configure(
    handle: RegistryHandle,
    http_secret: Secret,
    upstream: config.Upstream | None = None,
    receivers: Sequence[str] = (),
) -> None:
    """Write the configuration that a registry's containers read when they start."""
    mounted = handle.folder / CONFIGURATION_FOLDER
    text = config.configuration(handle.spec, http_secret, upstream, receivers)
    _write(mounted / config.CONFIGURATION_FILE, text)
    if upstream is not None and upstream.authority is not None:
        _write(mounted / config.UPSTREAM_AUTHORITY_FILE, upstream.authority.decode())


def _prepare_tls(
    handle: RegistryHandle, tls: TLSSpec, authorities: Mapping[str, Authority]
) -> RegistryHandle:
    mounted = handle.folder / CONFIGURATION_FOLDER
    issuer = authorities[tls.issuer]
    wrong_name = tls.certificate == "wrong-name"
    pair = issuer.issue(
        *((_WRONG_NAME,) if wrong_name else registry_names(handle.spec)),
        validity="valid" if tls.certificate == "wrong-name" else tls.certificate,
    )
    _write(mounted / config.CERTIFICATE_FILE, pair.certificate_pem.decode())
    _write(mounted / config.KEY_FILE, pair.key_pem.reveal())
    client = None
    if tls.client_certificate == "required":
        client = issuer.issue(f"client.{registry_names(handle.spec)[0]}")
        _write(mounted / config.CLIENT_AUTHORITY_FILE, issuer.certificate_pem.decode())
    return replace(
        handle,
        authority=issuer.certificate_pem,
        fingerprint=certificate_facts(pair.certificate_pem).fingerprint,
        client_certificate=client,
    )


def _write(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def remove(engine: Engine, containers: Sequence[str], folder: Path) -> None:
    """Remove a registry's containers, the volume with the name of the first, and its folder."""
    for name in containers:
        engine.remove(name)
    engine.remove_volume(containers[0])
    shutil.rmtree(folder, ignore_errors=True)
