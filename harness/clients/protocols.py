"""What can be done with the programs that people run beside a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from harness.command import Completed


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
