"""Recipes: how each image is made or where it is published, as data from images/*.toml."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.debian import Suite
from harness.errors import ImageError
from harness.images.model import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

RECIPES = Path(__file__).parents[2] / "images"
# Part of every recipe's hash: raise it when the same recipe would give another file system.
BUILDER_VERSION = 1

AbsolutePath = Annotated[str, Field(pattern=r"^(/[^/]+)+$")]


@dataclass(frozen=True)
class Published:
    """An image that somebody publishes, pinned by the digest of its manifest.

    `repository` is as the engine writes it; without a host it lies on the engine's default
    registry. `software` names program and version, which only the publisher knows.
    """

    repository: str
    digest: str
    software: str


@dataclass(frozen=True)
class Build:
    """How an image is made from Debian packages, without running any of their scripts.

    `software` is the package whose version counts. `omit` are paths left out, folders with all
    that is below. `links` are pairs of path and target, `files` pairs of path and text.
    """

    suite: Suite
    software: str
    packages: tuple[str, ...]
    entrypoint: tuple[str, ...]
    directories: tuple[str, ...]
    omit: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Recipe:
    """How one image is built, or why it cannot be, and where it is published."""

    image: Image
    build: Build | None
    unbuildable: str
    published: Published | None

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change with anything that changes the image."""
        return hashlib.sha256(f"{BUILDER_VERSION}{self!r}".encode()).hexdigest()[:12]

    @property
    def repository(self) -> str:
        """The name under which the engine's store keeps the image."""
        return f"pullproof/{self.image}"


def load_recipes(folder: Path = RECIPES) -> Mapping[Image, Recipe]:
    """Read all recipes of a folder.

    Raises ImageError, which names the file and the line or field, when one cannot be
    understood, is there twice, or when an image has none.
    """
    recipes: dict[Image, Recipe] = {}
    for file in sorted(folder.glob("*.toml")):
        for recipe in _parse(file):
            if recipe.image in recipes:
                raise ImageError(f"{file}: images.{recipe.image}: another file has it already")
            recipes[recipe.image] = recipe
    missing = [image for image in Image if image not in recipes]
    if missing:
        raise ImageError(f"{folder}: no recipe for {', '.join(missing)}")
    return recipes


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Pull(_Part):
    repository: Annotated[str, Field(pattern=r"^[a-z0-9]+([.:/_-]+[a-z0-9]+)*$")]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    software: str


class _Variant(_Part):
    suite: Annotated[Suite | None, Field(strict=False)] = None
    unbuildable: str = ""
    pull: _Pull | None = None

    @model_validator(mode="after")
    def _says_how_or_why_not(self) -> _Variant:
        if (self.suite is None) == (self.unbuildable == ""):
            raise ValueError("give either `suite` or `unbuildable`, the reason why there is none")
        return self


class _Family(_Part):
    software: str
    packages: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    entrypoint: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    directories: Annotated[tuple[AbsolutePath, ...], Field(strict=False)] = ()
    omit: Annotated[tuple[AbsolutePath, ...], Field(strict=False)] = ()
    links: dict[AbsolutePath, str] = {}
    files: dict[AbsolutePath, str] = {}
    images: dict[Annotated[Image, Field(strict=False)], _Variant]

    @model_validator(mode="after")
    def _installs_what_it_names(self) -> _Family:
        if self.software not in self.packages:
            raise ValueError(f"`software` is {self.software}, which is not among `packages`")
        return self


def _parse(file: Path) -> list[Recipe]:
    try:
        family = _Family.model_validate(tomllib.loads(file.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ImageError(f"{file}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "the whole file"
        raise ImageError(f"{file}: {where}: {first['msg']}") from error
    return [_recipe(image, variant, family) for image, variant in family.images.items()]


def _recipe(image: Image, variant: _Variant, family: _Family) -> Recipe:
    build = None if variant.suite is None else _build(variant.suite, family)
    pull = variant.pull
    published = None if pull is None else Published(pull.repository, pull.digest, pull.software)
    return Recipe(image, build, variant.unbuildable, published)


def _build(suite: Suite, family: _Family) -> Build:
    return Build(
        suite=suite,
        software=family.software,
        packages=family.packages,
        entrypoint=family.entrypoint,
        directories=family.directories,
        omit=family.omit,
        links=tuple(sorted(family.links.items())),
        files=tuple(sorted(family.files.items())),
    )
