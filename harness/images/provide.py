"""Provide images: from the store, a bundle, the registry that publishes them, or packages."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness.errors import ImageError
from harness.images import store
from harness.images.building import IMAGE_LABEL, SOFTWARE_LABEL, build_image
from harness.images.bundle import find_archive, load_archive
from harness.images.model import Image, Origin, ProvidedImage
from harness.images.reach import Reach, reach, remember
from harness.images.recipe import RECIPES, load_recipes
from harness.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from docker import DockerClient

    from harness.engine import Engine
    from harness.home import Home
    from harness.images.bundle import Archive
    from harness.images.recipe import Recipe

# Some are compiled, which may take an hour on a slow core that others use too.
_LOCK_SECONDS = 3600
# Unpacking and importing keep about one core busy for each image.
_WORKERS = 2


def provide_all(
    images: Iterable[Image],
    *,
    engine: Engine,
    home: Home,
    announce: Callable[[str], None],
    bundle: Path | None = None,
) -> dict[Image, ProvidedImage]:
    """Provide several images, two at a time; raises as `provide`, after all have ended."""
    wanted = list(dict.fromkeys(images))
    with Pool(_WORKERS) as pool:
        provided = pool.map(
            lambda image: provide(
                image, engine=engine, home=home, announce=announce, bundle=bundle
            ),
            wanted,
        )
        return dict(zip(wanted, provided, strict=True))


def provide(
    image: Image,
    *,
    engine: Engine,
    home: Home,
    announce: Callable[[str], None],
    bundle: Path | None = None,
    recipes: Path = RECIPES,
) -> ProvidedImage:
    """Put an image into the engine's store, unless it is there, and say where it came from.

    In order: the store; the bundle, where one is given and has the image; the registry that
    publishes it, where that answers; Debian packages and Go modules. Never another version than
    asked for. Runs at the same time wait for each other. `recipes` is a folder of recipes.

    Raises ImageError, with what was tried, when the image cannot be had; PackageError when
    the packages to build it from cannot.
    """
    started = time.monotonic()
    recipe = load_recipes(recipes)[image]
    archive = find_archive(bundle, image) if bundle is not None else None
    # An archive may differ from what the recipe gives, so it has a name of its own.
    tag = f"{recipe.hash}-{archive.sha256[:12]}" if archive else recipe.hash
    attempt = _Attempt(
        recipe=recipe,
        archive=archive,
        bundle=bundle,
        tag=tag,
        client=engine.client,
        home=home,
        announce=lambda text: announce(f"{image}: {text}"),
    )
    found, origin, reason = attempt.make()
    return ProvidedImage(
        image=image,
        id=found.id,
        reference=attempt.reference,
        origin=origin,
        reason=reason,
        digest=attempt.digest(found),
        software=attempt.software(found),
        seconds=time.monotonic() - started,
    )


def without_building(
    image: Image,
    *,
    engine: Engine,
    home: Home,
    announce: Callable[[str], None],
    bundle: Path | None = None,
) -> str:
    """Say why an image can be had without building it, nothing where it cannot.

    The registry that publishes it may be asked once, as in `provide`; nothing is fetched.
    """
    recipe = load_recipes(RECIPES)[image]
    if bundle is not None and find_archive(bundle, image) is not None:
        return "the bundle has its image"
    if store.find(engine.client, f"{recipe.repository}:{recipe.hash}"):
        return "the engine's store has its image"
    if recipe.published is None:
        return ""
    home.images.mkdir(parents=True, exist_ok=True)
    asked = reach(
        engine.client, recipe.published, folder=home.images, announce=announce, now=time.time
    )
    return "the registry that publishes its image answers" if asked.answers else ""


@dataclass(frozen=True)
class _Attempt:
    """One image that is wanted, and all that could give it."""

    recipe: Recipe
    archive: Archive | None
    bundle: Path | None
    tag: str
    client: DockerClient
    home: Home
    announce: Callable[[str], None]

    @property
    def reference(self) -> str:
        return f"{self.recipe.repository}:{self.tag}"

    def make(self) -> tuple[store.Stored, Origin, str]:
        cached = "the engine's store has it"
        found = store.find(self.client, self.reference)
        if found:
            return found, Origin.CACHED, cached
        with self._alone():
            found = store.find(self.client, self.reference)
            if found:
                return found, Origin.CACHED, cached
            origin, reason = self._obtain()
            found = store.find(self.client, self.reference)
        if found is None:
            raise ImageError(f"{self.reference} is gone right after it was made")
        self.announce(f"{origin}: {reason}")
        return found, origin, reason

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.home.images.mkdir(parents=True, exist_ok=True)
        file = self.home.images / f"{self.recipe.image}.lock"
        try:
            with FileLock(file, timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise ImageError(
                f"another run has been making {self.recipe.image} for {_LOCK_SECONDS} s",
                remedy="end that run, then try again",
            ) from error

    def _obtain(self) -> tuple[Origin, str]:
        if self.archive and self.bundle:
            self.announce(f"loading {self.archive.file}")
            load_archive(
                self.archive,
                folder=self.bundle,
                client=self.client,
                repository=self.recipe.repository,
                tag=self.tag,
            )
            return Origin.BUNDLE, f"the bundle {self.bundle} was given and has it"
        why_not = self._pull()
        if not why_not:
            return Origin.PULLED, "the registry that publishes it answers"
        return self._build(why_not)

    def _pull(self) -> str:
        """Pull the image; return why that was not possible, nothing when it was."""
        published = self.recipe.published
        if published is None:
            return "its recipe names no published image"
        folder = self.home.images
        answer = reach(self.client, published, folder=folder, announce=self.announce, now=time.time)
        if not answer.answers:
            return f"the registry that publishes it does not answer ({answer.why})"
        self.announce(f"pulling {published.repository}@{published.digest}")
        try:
            store.pull(self.client, published, repository=self.recipe.repository, tag=self.tag)
        except ImageError as error:
            remember(Reach(answers=False, why=str(error), checked=time.time()), folder)
            return str(error)
        return ""

    def _build(self, why_not_pulled: str) -> tuple[Origin, str]:
        bundle = f"the bundle {self.bundle} has it not" if self.bundle else "no bundle is given"
        try:
            build_image(self.recipe, client=self.client, home=self.home, announce=self.announce)
        except ImageError as error:
            raise ImageError(
                f"image {self.recipe.image} cannot be had here: {bundle}; {why_not_pulled}; "
                f"{error.problem}",
                remedy=error.remedy,
            ) from error
        return Origin.BUILT, f"from {self.recipe.build.ingredients}, because {why_not_pulled}"

    def digest(self, found: store.Stored) -> str:
        if self.archive:
            return self.archive.digest
        if IMAGE_LABEL in found.labels or self.recipe.published is None:
            return found.layers[0]
        return self.recipe.published.digest

    def software(self, found: store.Stored) -> str:
        if self.archive:
            return self.archive.software
        if SOFTWARE_LABEL in found.labels or self.recipe.published is None:
            return found.labels.get(SOFTWARE_LABEL, "")
        return self.recipe.published.software
