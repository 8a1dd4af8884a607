"""No real engine tears an archive when it is asked to, so one that does is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from harness.engine import Container, TornArchiveError
from harness.registry.distribution import RegistryHandle
from harness.registry.distribution_copies import saved
from harness.scenario.model import RegistrySpec

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Tearing:
    """A container of which so many archives are torn."""

    torn: int
    saved: list[Path] = field(default_factory=list)

    def save(self, _path: str, file: Path) -> None:
        self.saved.append(file)
        if len(self.saved) <= self.torn:
            raise TornArchiveError("it changed")


@pytest.fixture
def handle(tmp_path: Path) -> RegistryHandle:
    found = RegistryHandle(RegistrySpec(name="primary"), "primary", tmp_path / "primary", None)
    found.configuration_folder.mkdir(parents=True)
    return found


def test_storage_is_copied_again_when_a_file_changed_meanwhile(handle: RegistryHandle) -> None:
    container = Tearing(torn=2)

    with saved(handle, cast("Container", container)) as backup:
        assert container.saved == [backup.storage] * 3


def test_storage_that_always_changes_cannot_be_copied(handle: RegistryHandle) -> None:
    with (
        pytest.raises(TornArchiveError),
        saved(handle, cast("Container", Tearing(torn=3))),
    ):
        pytest.fail("the block must not run")

    assert not list(handle.folder.parent.glob("primary.*"))
