"""What programs beside registries do: those that checks run, and those that copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from harness.command import Completed
    from harness.findings import Finding
    from harness.history import Operation
    from harness.oci import Image
    from harness.registry.protocols import Registry
    from harness.scenario.model import ReplicationSpec


class Workspace(Protocol):
    """A folder of its own and a home in it: keys and configurations of one check alone."""

    def run(
        self, arguments: Sequence[str], *, input_file: str = "", timeout_seconds: float = 60
    ) -> Completed:
        """Run a program in this folder to its end; any exit status is an answer.

        It knows the accounts of all registries that have some, and trusts the authorities of
        the lab and no other. What it must read and nobody may see, such as a password, is the
        content of `input_file`, a file of this folder that becomes its standard input.
        Raises CommandError when the time runs out.
        """
        ...

    def write(self, name: str, content: bytes) -> str:
        """Write a file that nobody else may read; return its path as programs name it."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises HarnessError where there is none."""
        ...


@runtime_checkable
class ClientTools(Protocol):
    """Ability of a lab: skopeo, cosign, notation and oras run in its network."""

    def workspace(self) -> AbstractContextManager[Workspace]:
        """Give a folder for a check; it is removed with all that is in it."""
        ...


@runtime_checkable
class Replicates(Protocol):
    """Ability of a lab: one registry is kept equal to another one, in one direction."""

    @property
    def spec(self) -> ReplicationSpec:
        """What the scenario says of it."""
        ...

    @property
    def source(self) -> Registry:
        """The registry that is copied."""
        ...

    @property
    def destination(self) -> Registry:
        """Its copy."""
        ...

    def repositories(self) -> tuple[str, ...]:
        """Return all repositories of both that begin as the source's do in this run, sorted."""
        ...

    def differences(self, *repositories: str) -> tuple[Finding, ...]:
        """Return how repositories differ once their time to become equal is over.

        Returns nothing as soon as they are equal. A copy that cannot be read is not.
        """
        ...

    def burst(self, images: Sequence[Image], repository: str) -> tuple[Operation, ...]:
        """Push images one right after the other, each under a tag of its own, and follow them.

        Returns when each came to the copy, counted from the moment when the source had taken it.
        Raises RegistryError when the source does not take one.
        """
        ...
