from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, get_args

from harness.clients import protocols as clients
from harness.cluster import protocols as cluster
from harness.monitoring import protocols as monitoring
from harness.registry import protocols as registry
from harness.scenario.model import Ability

if TYPE_CHECKING:
    from types import ModuleType


def offered(module: ModuleType) -> set[str]:
    """Return protocols of a module, or a package, that say that they are an ability."""
    return {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
        and (value.__doc__ or "").startswith("Ability of ")
    }


def test_abilities_that_can_be_waived_are_those_that_checks_ask_for() -> None:
    modules = (clients, cluster, monitoring, registry)
    assert set(get_args(Ability)) == {name for module in modules for name in offered(module)}
