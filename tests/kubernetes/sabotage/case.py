"""One reversible sabotage of a lab on kind, and exactly what it must turn red."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.findings import Code
    from harness.lab import Lab
    from harness.result.model import Status
    from harness.scenario.model import Capability
    from harness.workload import Published


def _leave_alone(*_: object) -> None:
    """Break nothing."""


BYSTANDERS = ("secret-on-the-pod-pulls", "pod-without-a-secret-is-refused")


def red(code: Code, *checks: str) -> dict[str, Code]:
    """Return checks of one suite that must fail with a code."""
    return dict.fromkeys(checks, code)


@dataclass(frozen=True)
class Case:
    """A broken system.

    `broken` breaks the lab when it is entered and heals it when it is left. `published` breaks
    something whenever a check has pushed an image; what it does must not outlive that image.
    `turns_red` maps each check of `suite` that must fail to its code, `leaves_open` each
    that can prove nothing to its status, by their ids without the capability. They are run with
    `bystanders`, which must pass: the whole suite for each case would take an hour. `subjects`
    are what the findings must name, and nothing else; names that we make up end where their
    random part begins.
    """

    name: str
    turns_red: Mapping[str, Code]
    subjects: frozenset[str]
    broken: Callable[[Lab], AbstractContextManager[object]] = nullcontext
    published: Callable[[Lab, Published], None] = _leave_alone
    leaves_open: Mapping[str, Status] = field(default_factory=dict)
    bystanders: tuple[str, ...] = BYSTANDERS
    suite: Capability = "kubelet"

    @property
    def checks(self) -> tuple[str, ...]:
        """All checks that are run."""
        return tuple(dict.fromkeys((*self.turns_red, *self.leaves_open, *self.bystanders)))

    @property
    def red_ids(self) -> tuple[str, ...]:
        """The whole ids of the checks that must fail."""
        return tuple(f"{self.suite}.{check}" for check in self.turns_red)
