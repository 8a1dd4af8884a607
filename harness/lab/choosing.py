"""Which cluster provider a run uses where the scenario leaves that open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.images.provide import without_building
from harness.lab.parts import KIND_IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.engine import Engine
    from harness.home import Home
    from harness.scenario.model import ClusterSpec


@dataclass(frozen=True)
class Choice:
    """A cluster whose provider is no longer `auto`, and in a sentence why it is that one."""

    cluster: ClusterSpec
    reason: str


def choose(
    spec: ClusterSpec,
    *,
    engine: Engine,
    home: Home,
    announce: Callable[[str], None],
    bundle: Path | None,
) -> Choice:
    """Choose kind where its node image need not be built, else nodes of containerd alone.

    Building it takes ten minutes or more, which nobody expects of a run; who wants that asks
    for kind.
    """
    if spec.provider != "auto":
        return Choice(spec, "it was asked for")
    why = without_building(
        KIND_IMAGES[spec.kubernetes], engine=engine, home=home, announce=announce, bundle=bundle
    )
    if why:
        return Choice(spec.model_copy(update={"provider": "kind"}), f"auto chooses it: {why}")
    return Choice(
        spec.model_copy(update={"provider": "containerd"}),
        "auto chooses it: the node image of kind would have to be built first, which takes many "
        "minutes; --cluster kind does so",
    )
