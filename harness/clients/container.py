"""The programs of the image `tools`, in a container of the lab that many checks use at once."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.clients.files import ENVIRONMENT, client_files, write_private
from harness.engine import Bind, ContainerSpec
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.command import Completed
    from harness.engine import Container, Engine
    from harness.secret import Credentials

# No registry of a scenario can be called this.
NAME: Final = "client.tools"

WORK_FOLDER: Final = "/workspaces"


@dataclass(frozen=True)
class ToolsHandle:
    """What another process on this machine needs to use tools that it does not own."""

    container: str
    folder: Path


@dataclass(frozen=True)
class ContainerWorkspace:
    """A folder that a check and its programs share: `folder` here is `path` for them."""

    folder: Path
    path: str
    _container: Container

    def run(
        self, arguments: Sequence[str], *, input_file: str = "", timeout_seconds: float = 60
    ) -> Completed:
        """Run a program in this folder to its end; any exit status is an answer."""
        here = ["env", "-C", self.path, f"HOME={self.path}"]
        reading = ["sh", "-c", 'exec "$@" <"$0"', input_file] if input_file else []
        return self._container.execute(
            [*here, *reading, *arguments], timeout_seconds=timeout_seconds
        )

    def write(self, name: str, content: bytes) -> str:
        """Write a file that nobody else may read; return its path as programs name it."""
        write_private(self.folder / name, content)
        return f"{self.path}/{name}"

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises HarnessError where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise HarnessError(f"the tools have left no file {name}: {error}") from error


@dataclass(frozen=True)
class ToolsContainer:
    """A container of the image `tools`; whoever started it takes it down."""

    handle: ToolsHandle
    _container: Container

    @contextmanager
    def workspace(self) -> Iterator[ContainerWorkspace]:
        """Give a folder for a check; it is removed with all that is in it."""
        name = secrets.token_hex(6)
        folder = _shared(self.handle.folder) / name
        folder.mkdir(mode=0o700)
        try:
            yield ContainerWorkspace(folder, f"{WORK_FOLDER}/{name}", self._container)
        finally:
            shutil.rmtree(folder)


@contextmanager
def tools_container(
    handle: ToolsHandle,
    *,
    engine: Engine,
    image_id: str,
    network: str,
    labels: Mapping[str, str],
    accounts: Mapping[str, Credentials],
    authorities: Sequence[bytes],
) -> Iterator[ToolsContainer]:
    """Start the tools and remove them with their folder at the end.

    `accounts` are those that programs use, by the host of references; `authorities` (PEM) are
    those that they trust. The folder of `handle` is made.
    """
    handle.folder.mkdir(mode=0o700)
    _shared(handle.folder).mkdir(mode=0o700)
    try:
        engine.start(
            ContainerSpec(
                name=handle.container,
                image=image_id,
                hostname="tools",
                labels=labels,
                network=network,
                binds=(
                    *client_files(handle.folder / "client", accounts, authorities),
                    Bind(_shared(handle.folder), WORK_FOLDER, read_only=False),
                ),
                environment=ENVIRONMENT,
            )
        )
        yield attach(handle, engine)
    finally:
        engine.remove(handle.container)
        shutil.rmtree(handle.folder, ignore_errors=True)


def attach(handle: ToolsHandle, engine: Engine) -> ToolsContainer:
    """Return running tools; nothing is taken down with them. EngineError when they are gone."""
    return ToolsContainer(handle, engine.required(handle.container))


def _shared(folder: Path) -> Path:
    return folder / "work"
