"""One acceptance run, from an engine to a lab and back, and what is to be told of it."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from harness import machine
from harness.cluster.existing import ExistingCluster, ExistingNode
from harness.cluster.protocols import RuntimeAccess
from harness.engine import open_engine
from harness.home import Home
from harness.images.provide import provide_all
from harness.lab import existing_lab, images_of, started_lab
from harness.lab.choosing import choose
from harness.lab.parts import REGISTRY_IMAGES
from harness.lifecycle.reap import OPENING, PRIVATE, reap_dead
from harness.lifecycle.run import started_run
from harness.result.model import (
    ClusterFacts,
    EngineFacts,
    Environment,
    ImageFacts,
    NodeFacts,
    Phases,
    RegistryFacts,
)
from harness.scenario import kinds
from harness.tools import Tool, provide_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from harness.cluster.access import Access
    from harness.engine import Engine
    from harness.images.model import Image, ProvidedImage
    from harness.lab import Lab
    from harness.lifecycle.run import Run
    from harness.scenario.model import RegistrySpec, Scenario
    from harness.secret import Secret

Phase = Literal["engine", "images", "lab", "checks", "teardown"]


@dataclass(frozen=True)
class Order:
    """What a run is to do.

    `access` leads to a cluster that exists, None where one is to be built. `bundle` is a folder of
    saved images. `keep_logs` is called before the lab is taken down,
    with a folder that holds what all its parts have logged and that is gone afterwards.
    """

    run_id: str
    scenario: Scenario
    secret: Secret
    keep_logs: Callable[[Path], None]
    bundle: Path | None
    time_limit_seconds: float
    access: Access | None = None


@dataclass
class Diary:
    """What becomes known of a run while it goes on, however far it gets."""

    announce: Callable[[str], None]
    phases: Phases = field(default_factory=Phases)
    notes: list[str] = field(default_factory=list)
    environment: Environment = field(
        default_factory=lambda: Environment(
            kernel=machine.kernel(),
            cpus=machine.cpus(),
            memory_bytes=machine.memory_bytes(),
            harness_version=machine.harness_version(),
            harness_commit=machine.harness_commit(),
        )
    )

    def learn(self, **facts: object) -> None:
        """Add facts of the environment."""
        self.environment = self.environment.model_copy(update=facts)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Time a phase, also one that ends in an error."""
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - started
            self.phases = self.phases.model_copy(update={name: seconds})
            self.announce(f"{name}: {seconds:.1f} s")


@contextmanager
def acceptance_run(order: Order, diary: Diary) -> Iterator[Lab]:
    """Provide a lab for a run; everything is gone at the end, after its logs were kept.

    Raises HarnessError when engine, images or lab cannot be had.
    """
    with ExitStack() as stack:
        if order.access is None:
            run, lab = _built(order, diary, stack)
        else:
            run, lab = _found(order, order.access, diary, stack)
        try:
            with diary.phase("checks"):
                yield lab
        finally:
            with diary.phase("teardown"):
                _collect_logs(lab, run.folder / "logs")
                order.keep_logs(run.folder / "logs")
                stack.close()


def _built(order: Order, diary: Diary, stack: ExitStack) -> tuple[Run, Lab]:
    """Build what the scenario describes, with an engine."""
    home = Home.locate(os.environ)
    with diary.phase("engine"):
        run = _begun(order, home, diary, stack)
        run.journal.intend("engine", OPENING)
        engine = stack.enter_context(open_engine(home, diary.announce, os.environ))
        run.journal.intend("engine", PRIVATE if engine.kind == "private" else engine.url)
        diary.learn(engine=EngineFacts(kind=engine.kind, version=engine.version))
    with diary.phase("images"):
        choice = choose(
            order.scenario.cluster,
            engine=engine,
            home=home,
            announce=diary.announce,
            bundle=order.bundle,
        )
        scenario = order.scenario.model_copy(update={"cluster": choice.cluster})
        diary.learn(cluster=ClusterFacts(provider=choice.cluster.provider, reason=choice.reason))
        kind = _tool(Tool.KIND, home, diary) if choice.cluster.provider == "kind" else None
        inside = any(kinds.IN_CLUSTER.matches(spec) for spec in scenario.registries)
        helm = _tool(Tool.HELM, home, diary) if inside else None
        images = _images(scenario, order.bundle, engine, home, diary)
    with diary.phase("lab"), _kept_on_failure(order, run.folder / "logs"):
        lab = stack.enter_context(
            started_lab(
                scenario,
                engine=engine,
                images=images,
                run=run,
                secret=order.secret,
                kind=kind,
                helm=helm,
            )
        )
        _learn_lab(lab, images, diary)
    return run, lab


def _found(order: Order, access: Access, diary: Diary, stack: ExitStack) -> tuple[Run, Lab]:
    """Use what the scenario names; no engine is opened."""
    with diary.phase("lab"):
        run = _begun(order, Home.locate(os.environ), diary, stack)
        reason = "the scenario is of one that exists"
        diary.learn(cluster=ClusterFacts(provider="existing", reason=reason))
        lab = stack.enter_context(
            existing_lab(order.scenario, access=access, run=run, secret=order.secret)
        )
        _learn_lab(lab, {}, diary)
        if isinstance(lab.cluster, ExistingCluster):
            diary.notes.extend(lab.cluster.left_out)
    return run, lab


def _begun(order: Order, home: Home, diary: Diary, stack: ExitStack) -> Run:
    """Begin the run, after those that died have been cleaned away."""
    reap_dead(home, environment=os.environ, announce=diary.announce)
    return stack.enter_context(
        started_run(home, order.run_id, time_limit_seconds=order.time_limit_seconds)
    )


@contextmanager
def run_on(provided: AbstractContextManager[Lab], order: Order, diary: Diary) -> Iterator[Lab]:
    """Enter a lab that somebody else has made and takes down; its logs are kept at the end.

    No time limit is watched over: that is for the lab's owner to do.
    """
    with ExitStack() as stack:
        with diary.phase("lab"):
            lab = stack.enter_context(provided)
            reason = "a plugin has provided the lab"
            diary.learn(cluster=ClusterFacts(provider=lab.cluster.provider, reason=reason))
            _learn_lab(lab, {}, diary)
        try:
            with diary.phase("checks"):
                yield lab
        finally:
            with diary.phase("teardown"), TemporaryDirectory() as logs:
                _collect_logs(lab, Path(logs))
                order.keep_logs(Path(logs))
                stack.close()


@contextmanager
def _kept_on_failure(order: Order, logs: Path) -> Iterator[None]:
    """Keep what a lab that does not come up has logged."""
    try:
        yield
    except BaseException:
        if logs.exists():
            order.keep_logs(logs)
        raise


def _tool(tool: Tool, home: Home, diary: Diary) -> Path:
    """Return a command line."""
    return provide_tool(tool, home=home, announce=diary.announce, environment=os.environ).path


def _images(
    scenario: Scenario, bundle: Path | None, engine: Engine, home: Home, diary: Diary
) -> dict[Image, ProvidedImage]:
    images = provide_all(
        images_of(scenario), engine=engine, home=home, announce=diary.announce, bundle=bundle
    )
    diary.learn(
        images=tuple(
            ImageFacts(name=each.image, id=each.id, digest=each.digest, origin=each.origin)
            for each in images.values()
        )
    )
    return images


def _learn_lab(lab: Lab, images: dict[Image, ProvidedImage], diary: Diary) -> None:
    diary.learn(
        nodes=tuple(
            NodeFacts(name=node.name, containerd=node.runtime_version())
            for node in lab.nodes
            if isinstance(node, RuntimeAccess | ExistingNode)
        ),
        registries=tuple(
            RegistryFacts(
                name=registry.spec.name,
                provider=registry.spec.provider,
                version=_version(registry.spec, images),
            )
            for registry in lab.registries
        ),
    )


def _version(spec: RegistrySpec, images: dict[Image, ProvidedImage]) -> str:
    """Return a registry's exact version where it runs from an image of this run."""
    if spec.provider == "existing":
        return "unknown"
    image = images.get(REGISTRY_IMAGES[spec.version])
    return image.software if image else spec.version


def _collect_logs(lab: Lab, folder: Path) -> None:
    lab.cluster.collect_logs(folder / "nodes")
    for registry in lab.registries:
        registry.collect_logs(folder / "registries")
    for replicator in lab.replicators:
        replicator.collect_logs(folder / "replicators")
