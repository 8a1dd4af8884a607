"""One sabotage and exactly what it must turn red."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.machine import CHECKOUT
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.findings import Code
    from harness.result.model import Status
    from harness.scenario.model import Capability

SCENARIO = CHECKOUT / "tests/sabotage/scenario.yaml"


@dataclass(frozen=True)
class Case:
    """A broken system.

    `turns_red` maps each check of the suite that must fail to its code, `leaves_open` each that
    can prove nothing to its status, with `reason` in its words; all others must pass. `subjects`
    are the nodes or registries that the findings must name, and no others. `scenario` is the lab
    that is broken: no larger than the suite needs, because each case builds one. `parts` are
    modules of the suite, or checks such as `test_a.py::test_b`, where not all of it is run because
    each check lasts seconds.
    """

    name: str
    suite: Capability
    sabotage: Sabotage
    turns_red: Mapping[str, Code]
    subjects: frozenset[str]
    leaves_open: Mapping[str, Status] = field(default_factory=dict)
    reason: str = ""
    scenario: Path = SCENARIO
    parts: tuple[str, ...] = ("",)
