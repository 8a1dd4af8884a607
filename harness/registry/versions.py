"""Runs other versions of a registry: in its place on a copy of its data, or left to themselves."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.distribution_api import DistributionAPI, Endpoint
from harness.engine import Bind, ContainerSpec
from harness.errors import RegistryError, WaitTimeoutError
from harness.registry import distribution_config as config
from harness.registry.distribution import (
    CONFIGURATION_FOLDER,
    LOG_FOLDER,
    DistributionRegistry,
    attach,
    registry_names,
)
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.engine import Container, Engine
    from harness.lifecycle.run import Run
    from harness.registry.distribution import RegistryHandle
    from harness.registry.protocols import Registry
    from harness.scenario.model import RegistryVersion

_ORIGINAL: Final = "/original"
_START_SECONDS: Final = 20


@dataclass(frozen=True)
class VersionsHandle:
    """What another process needs to run versions: ids of their images, and where they belong."""

    images: Mapping[RegistryVersion, str]
    network: str
    run: Run


@dataclass(frozen=True)
class Versions:
    """Other versions of registries of the provider `distribution`."""

    handle: VersionsHandle
    _engine: Engine

    @contextmanager
    def in_place_of(self, registry: Registry, version: RegistryVersion) -> Iterator[Registry]:
        """Stop a registry and run another version on a copy of its storage until the block ends.

        Only the image differs: the other version finds the files of the registry under the same
        paths, and the same command names its configuration. Raises RegistryError when it does
        not become healthy.
        """
        original = _ours(registry)
        copy = self._laid(original.handle, version)
        stopped = self._engine.required(original.handle.container)
        stopped.stop()
        try:
            self._start(copy, original.handle, version)
            changed = attach(copy, self._engine)
            changed.wait_until_healthy()
            yield changed
        finally:
            self._remove(copy)
            stopped.start()
            original.wait_until_healthy()

    @contextmanager
    def by_its_own_command(
        self, registry: Registry, version: RegistryVersion
    ) -> Iterator[Endpoint]:
        """Run another version as its image does by default, with the files of a registry.

        Raises RegistryError when it does not answer over plain HTTP.
        """
        original = _ours(registry).handle
        name = f"{original.container}-default"
        self.handle.run.journal.intend("container", name)
        container = self._engine.start(
            ContainerSpec(
                name=name,
                image=self.handle.images[version],
                environment=_environment(original, version),
                labels=self.handle.run.labels,
                network=self.handle.network,
                binds=(_configuration(original),),
            )
        )
        try:
            yield _answering(container, registry.host)
        finally:
            container.remove()

    def _laid(self, original: RegistryHandle, version: RegistryVersion) -> RegistryHandle:
        """Lay the files of a registry for another version of it."""
        name = f"{original.container}-{version}"
        self.handle.run.journal.intend("container", name)
        folder = original.folder.with_name(f"{original.folder.name}-{version}")
        folder.mkdir(mode=0o700)
        shutil.copytree(original.folder / CONFIGURATION_FOLDER, folder / CONFIGURATION_FOLDER)
        (folder / LOG_FOLDER).mkdir(mode=0o700)
        (folder / LOG_FOLDER / config.LOG_FILE).touch(mode=0o600)
        return replace(original, container=name, folder=folder)

    def _start(
        self, copy: RegistryHandle, original: RegistryHandle, version: RegistryVersion
    ) -> None:
        labels = self.handle.run.labels
        self._engine.start(
            ContainerSpec(
                name=copy.container,
                image=self.handle.images[version],
                entrypoint=_command(copy),
                environment=_environment(copy, version),
                hostname=copy.spec.name,
                labels=labels,
                network=self.handle.network,
                aliases=registry_names(copy.spec),
                binds=(
                    _configuration(copy),
                    Bind(copy.folder / LOG_FOLDER, config.LOG_FOLDER, read_only=False),
                ),
                volumes={
                    original.container: _ORIGINAL,
                    self._engine.create_volume(copy.container, labels): config.STORAGE_FOLDER,
                },
            )
        )

    def _remove(self, copy: RegistryHandle) -> None:
        self._engine.remove(copy.container)
        self._engine.remove_volume(copy.container)
        shutil.rmtree(copy.folder, ignore_errors=True)


def _ours(registry: Registry) -> DistributionRegistry:
    if not isinstance(registry, DistributionRegistry):
        raise RegistryError(f"{registry.host} is not of this lab: no version takes its place")
    return registry


def _environment(handle: RegistryHandle, version: RegistryVersion) -> dict[str, str]:
    return config.environment(handle.spec.model_copy(update={"version": version}))


def _configuration(handle: RegistryHandle) -> Bind:
    """Return the files of a registry where the version of its scenario looks for them."""
    return Bind(handle.folder / CONFIGURATION_FOLDER, config.configuration_folder(handle.spec))


def _command(handle: RegistryHandle) -> tuple[str, ...]:
    """Return the command of a registry, which copies its storage before the first start."""
    *shell, serve = config.command(handle.spec)
    copying = f"cp -a {_ORIGINAL}/. {config.STORAGE_FOLDER}/"
    return (*shell, f"[ -e {config.STORAGE_FOLDER}/docker ] || {copying}; {serve}")


def _answering(container: Container, host: str) -> Endpoint:
    """Wait until a registry answers anything over plain HTTP, and return where."""

    def answer() -> str:
        try:
            return str(DistributionAPI(Endpoint(host, container.address, None)).ping().status)
        except RegistryError as error:
            return f"{container.status}: {error.problem}"

    try:
        wait_until(
            answer,
            ready=str.isdigit,
            timeout_seconds=_START_SECONDS,
            what=f"{container.name} to answer over plain HTTP",
        )
    except WaitTimeoutError as error:
        raise RegistryError(str(error)) from error
    return Endpoint(host, container.address, None)
