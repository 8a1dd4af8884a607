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
from harness.golang import GoProgram
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

    `software` is the package whose version counts, empty where that is the version of `go`, a
    program that no package has: it is compiled and lies in /usr/bin. `omit` are paths left
    out, folders with all that is below. `links` are pairs of path and target, `files` pairs of
    path and text, and so are `programs`, which can be executed.
    """

    suite: Suite
    software: str
    packages: tuple[str, ...]
    entrypoint: tuple[str, ...]
    directories: tuple[str, ...]
    omit: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    programs: tuple[tuple[str, str], ...]
    go: GoProgram | None = None

    @property
    def ingredients(self) -> str:
        """What it is built from, in words."""
        packages = f"packages of Debian {self.suite}"
        return f"{packages} and {self.go.source}" if self.go else packages


@dataclass(frozen=True)
class Kubernetes:
    """What makes an image a node of kind: programs compiled from published Go modules.

    The versions are those of the modules, without a leading `v`. `sources` are pairs of path
    and text of our own Go programs, which call theirs. `component` is what control plane,
    kube-proxy and agents run in, besides those programs.
    """

    version: str
    etcd: str
    coredns: str
    sources: tuple[tuple[str, str], ...]
    component: Build

    @property
    def minor(self) -> str:
        """Major and minor version, such as `1.36`."""
        return self.version.rpartition(".")[0]


@dataclass(frozen=True)
class Recipe:
    """How one image is built, and where it is published."""

    image: Image
    build: Build
    published: Published | None
    kubernetes: Kubernetes | None = None

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


class _Kubernetes(_Part):
    version: Annotated[str, Field(pattern=r"^1\.\d+\.\d+$")]
    etcd: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    coredns: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]


class _Go(_Part):
    package: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(/[a-zA-Z0-9._-]+)+$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    told: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(/[a-zA-Z0-9._-]+)+$")]


class _Variant(_Part):
    suite: Annotated[Suite, Field(strict=False)]
    pull: _Pull | None = None
    go: _Go | None = None
    kubernetes: _Kubernetes | None = None


class _FileSystem(_Part):
    packages: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    directories: Annotated[tuple[AbsolutePath, ...], Field(strict=False)] = ()
    omit: Annotated[tuple[AbsolutePath, ...], Field(strict=False)] = ()
    links: dict[AbsolutePath, str] = {}
    files: dict[AbsolutePath, str] = {}


class _Family(_FileSystem):
    software: str = ""
    entrypoint: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    tree: Annotated[str, Field(pattern=r"^[^/.][^.]*$")] = ""
    programs: Annotated[str, Field(pattern=r"^[^/.][^.]*$")] = ""
    component: _FileSystem | None = None
    images: dict[Annotated[Image, Field(strict=False)], _Variant]

    @model_validator(mode="after")
    def _installs_what_it_names(self) -> _Family:
        if self.software and self.software not in self.packages:
            raise ValueError(f"`software` is {self.software}, which is not among `packages`")
        if any((variant.go is None) != bool(self.software) for variant in self.images.values()):
            raise ValueError("give either `software` or, in each image, `go`")
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
    return [
        _recipe(image, variant, family, file.parent) for image, variant in family.images.items()
    ]


def _recipe(image: Image, variant: _Variant, family: _Family, folder: Path) -> Recipe:
    build = _build(variant, family, folder)
    pull = variant.pull
    published = None if pull is None else Published(pull.repository, pull.digest, pull.software)
    kubernetes = _kubernetes(variant, family, folder)
    return Recipe(image, build, published, kubernetes)


def _build(variant: _Variant, family: _Family, folder: Path) -> Build:
    tree = _texts(folder / family.tree) if family.tree else []
    files = {f"/{path}": text for path, text, executable in tree if not executable}
    if variant.kubernetes is not None:
        files["/kind/version"] = f"v{variant.kubernetes.version}\n"
    programs = {f"/{path}": text for path, text, executable in tree if executable}
    return Build(
        suite=variant.suite,
        software=family.software,
        packages=family.packages,
        entrypoint=family.entrypoint,
        directories=family.directories,
        omit=family.omit,
        links=tuple(sorted(family.links.items())),
        files=tuple(sorted({**files, **family.files}.items())),
        programs=tuple(sorted(programs.items())),
        go=None if variant.go is None else GoProgram(**variant.go.model_dump()),
    )


def _kubernetes(variant: _Variant, family: _Family, folder: Path) -> Kubernetes | None:
    wanted, component = variant.kubernetes, family.component
    if wanted is None or component is None:
        return None
    sources = [(path, text) for path, text, _ in _texts(folder / family.programs, ".go")]
    return Kubernetes(
        version=wanted.version,
        etcd=wanted.etcd,
        coredns=wanted.coredns,
        sources=tuple(sources),
        component=Build(
            suite=variant.suite,
            software=family.software,
            packages=component.packages,
            entrypoint=(),
            directories=component.directories,
            omit=component.omit,
            links=tuple(sorted(component.links.items())),
            files=tuple(sorted(component.files.items())),
            programs=(),
        ),
    )


def _texts(folder: Path, suffix: str = "") -> list[tuple[str, str, bool]]:
    """Return path, text and whether it can be executed of each file below a folder, sorted."""
    return [
        (
            file.relative_to(folder).as_posix(),
            file.read_text("utf-8"),
            file.stat().st_mode & 0o100 != 0,
        )
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name.endswith(suffix)
    ]
