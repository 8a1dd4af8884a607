"""Registries of CNCF Distribution in real containers, one for each way in which they differ."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.engine import open_engine
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide
from harness.registry.distribution_start import distribution_registry
from harness.scenario.model import AuthSpec, RegistrySpec, TLSSpec
from harness.trust import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry

SPECS = (
    RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec()),
    RegistrySpec(name="unknown-ca", tls=TLSSpec(issuer="another-ca")),
    RegistrySpec(name="expired", tls=TLSSpec(certificate="expired")),
    RegistrySpec(name="not-yet-valid", tls=TLSSpec(certificate="not-yet-valid")),
    RegistrySpec(name="wrong-name", tls=TLSSpec(certificate="wrong-name")),
    RegistrySpec(name="client-certificate", tls=TLSSpec(client_certificate="required")),
    RegistrySpec(name="plain-http"),
)
LABEL = "pullproof.test"


@dataclass(frozen=True)
class Stage:
    """A network of an engine, what it takes to start registries in it, and who signs for them."""

    engine: Engine
    image_id: str
    network: str
    authorities: dict[str, Authority]
    folder: Path

    def start(self, spec: RegistrySpec) -> AbstractContextManager[DistributionRegistry]:
        """Have one registry while the block runs."""
        name = f"{self.network}-{spec.name}"
        return distribution_registry(
            spec,
            engine=self.engine,
            image_id=self.image_id,
            network=self.network,
            labels={LABEL: name},
            name=name,
            folder=self.folder / spec.name,
            authorities=self.authorities,
        )

    @contextmanager
    def start_all(self) -> Iterator[dict[str, DistributionRegistry]]:
        """Have one of each kind while the block runs, by their names."""
        with ExitStack() as stack, ThreadPoolExecutor(len(SPECS)) as pool:
            started = pool.map(lambda spec: stack.enter_context(self.start(spec)), SPECS)
            yield {registry.spec.name: registry for registry in started}

    def leftovers(self, spec: RegistrySpec) -> tuple[str, ...]:
        """Return what there is of a registry: container, volume and folder."""
        files = (str(path) for path in (self.folder / spec.name,) if path.exists())
        return (*self.engine.labelled(LABEL, f"{self.network}-{spec.name}"), *files)


@contextmanager
def distribution_stage(folder: Path) -> Iterator[Stage]:
    """Have a network for registries of version 2.8, whose files lie in `folder`."""
    home = Home.locate(os.environ)
    with open_engine(home, print, os.environ) as engine:
        image = provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print)
        network = engine.create_network(f"test-{uuid4().hex[:8]}", {LABEL: "network"})
        try:
            yield Stage(
                engine=engine,
                image_id=image.id,
                network=network.name,
                authorities={name: Authority.create(name) for name in ("private-ca", "another-ca")},
                folder=folder,
            )
        finally:
            network.remove()
