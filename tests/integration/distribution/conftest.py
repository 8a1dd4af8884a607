"""One registry of each kind, which all tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness.registry.distribution import DistributionRegistryWithAccounts
from tests.integration.distribution.stage import Stage, distribution_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.registry.distribution import DistributionRegistry


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with distribution_stage(tmp_path_factory.mktemp("registries")) as stage:
        yield stage


@pytest.fixture(scope="package")
def registries(stage: Stage) -> Iterator[dict[str, DistributionRegistry]]:
    with stage.start_all() as registries:
        yield registries


@pytest.fixture
def primary(registries: dict[str, DistributionRegistry]) -> DistributionRegistryWithAccounts:
    registry = registries["primary"]
    assert isinstance(registry, DistributionRegistryWithAccounts)
    return registry


@pytest.fixture
def repository() -> str:
    return f"test/{uuid4().hex[:12]}"
