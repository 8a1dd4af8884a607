"""Copies of Distribution registries: of their files, and registries that run from copies."""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from harness.engine import TornArchiveError
from harness.lifecycle.journal import journal_in
from harness.registry import distribution_config as config
from harness.registry.protocols import Backup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.engine import Container
    from harness.registry.distribution import RegistryHandle

_STORAGE = PurePosixPath(config.STORAGE_FOLDER)
_ATTEMPTS: Final = 3


@contextmanager
def saved(handle: RegistryHandle, container: Container) -> Iterator[Backup]:
    """Copy a registry's configuration and storage to files that go when the block ends."""
    folder = handle.folder.with_name(f"{handle.folder.name}.{secrets.token_hex(4)}")
    try:
        folder.mkdir(mode=0o700)
        started = time.monotonic()
        configuration = shutil.copytree(handle.configuration_folder, folder / "configuration")
        _save_storage(container, folder / "storage.tar")
        taken = time.monotonic() - started
        yield Backup(configuration, folder / "storage.tar", started, taken)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _save_storage(container: Container, file: Path) -> None:
    """Copy the storage again where an upload ended amid the copy, as operators do with tar."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(TornArchiveError):
            container.save(config.STORAGE_FOLDER, file)
            return
    container.save(config.STORAGE_FOLDER, file)


@contextmanager
def running(
    handle: RegistryHandle,
    container: Container,
    backup: Backup | None = None,
    *,
    aliases: Sequence[str] = (),
) -> Iterator[tuple[RegistryHandle, Container]]:
    """Run a registry like the one in a container, from a copy or with an empty storage.

    It may not answer yet. `handle.folder` lies in the folder of the run.
    """
    name = f"{handle.folder.name}.{secrets.token_hex(4)}"
    folder = handle.folder.with_name(name)
    copy = replace(
        handle,
        container=f"{handle.container}.{name}",
        folder=folder,
        replicas=(),
        load_balancer="",
    )
    journal_in(folder.parent).intend("container", copy.container)
    try:
        folder.mkdir(mode=0o700)
        files = backup.configuration if backup else handle.configuration_folder
        shutil.copytree(files, copy.configuration_folder)
        log_folder = copy.binds[1].host
        log_folder.mkdir(mode=0o700)
        (log_folder / config.LOG_FILE).touch(mode=0o600)
        started = container.start_like(copy.container, binds=copy.binds, aliases=aliases)
        try:
            if backup:
                started.unpack(backup.storage, str(_STORAGE.parent))
            yield copy, started
        finally:
            started.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
