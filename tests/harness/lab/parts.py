"""Registries and labs as values: nothing of them runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.cluster.containerd import ClusterHandle
from harness.lab import Lab, LabHandle
from harness.registry.distribution import (
    DistributionRegistry,
    DistributionRegistryWithAccounts,
    RegistryHandle,
)
from harness.scenario.model import RegistrySpec, Scenario
from harness.secret import Credentials, KeyPair, Secret
from tests.harness.checks.parts import NODES, StillNode

if TYPE_CHECKING:
    from harness.engine import Container

AUTHORITY = b"the authority"
KEYS = KeyPair(b"a certificate", Secret("a key"))


@dataclass(frozen=True)
class Place:
    """All that a registry's address takes of its container."""

    address: str = "10.0.0.9"


@dataclass(frozen=True)
class StillCluster:
    """A cluster whose nodes pull nothing."""

    nodes: tuple[StillNode, ...] = NODES
    provider: str = "still"

    def collect_logs(self, into: Path) -> None:
        raise NotImplementedError(into)


def registry(spec: RegistrySpec) -> DistributionRegistry:
    """Return a registry that was never started, with credentials as its specification asks."""
    mutual = spec.tls is not None and spec.tls.client_certificate == "required"
    handle = RegistryHandle(
        spec=spec,
        container=spec.name,
        folder=Path("nowhere"),
        credentials=Credentials("user", Secret("password")) if spec.auth else None,
        authority=AUTHORITY if spec.tls else b"",
        client_certificate=KEYS if mutual else None,
    )
    kind = DistributionRegistryWithAccounts if spec.auth else DistributionRegistry
    return kind(handle, cast("Container", Place()))


def lab(*specs: RegistrySpec) -> Lab:
    """Return a lab of registries that were never started."""
    registries = tuple(registry(spec) for spec in specs)
    handle = LabHandle(
        cluster=ClusterHandle(()),
        registries=tuple(each.handle for each in registries),
        secret=Secret("begins-every-password"),
        folder=Path("nowhere"),
    )
    scenario = Scenario(version=1, name="some", registries=specs)
    return Lab(scenario, StillCluster(), registries, handle)
