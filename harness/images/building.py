"""Build an image from Debian packages."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from harness.debian import download
from harness.errors import CommandError, ImageError
from harness.golang import Go
from harness.images import store
from harness.images.kind_node import build_kind_node
from harness.images.root_filesystem import root_filesystem, software_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from docker import DockerClient

    from harness.home import Home
    from harness.images.recipe import Build, Recipe

IMAGE_LABEL = "pullproof.image"
SOFTWARE_LABEL = "pullproof.software"


def build_image(
    recipe: Recipe,
    *,
    client: DockerClient,
    home: Home,
    announce: Callable[[str], None],
) -> None:
    """Build an image into the store. Its name appears only when it is whole.

    Raises PackageError when packages cannot be had, ImageError when a program cannot be
    compiled or the engine refuses.
    """
    build = recipe.build
    compiled = _compiled(build, home, announce)
    packages = download(build.packages, suite=build.suite, home=home, announce=announce)
    software = _software(build, packages)
    if recipe.kubernetes is not None:
        software = f"kubernetes {recipe.kubernetes.version}, {software}"
    labels = [
        f"LABEL {IMAGE_LABEL}={recipe.image}",
        f"LABEL {SOFTWARE_LABEL}={json.dumps(software)}",
    ]
    if recipe.kubernetes is not None:
        build_kind_node(
            recipe,
            recipe.kubernetes,
            labels=labels,
            client=client,
            home=home,
            announce=announce,
        )
        return
    announce(f"importing {len(packages)} packages of Debian {build.suite}")
    started = time.monotonic()
    store.import_file_system(
        client,
        root_filesystem(build, packages, compiled),
        repository=recipe.repository,
        tag=recipe.hash,
        changes=[
            f"ENTRYPOINT {json.dumps(build.entrypoint)}",
            "ENV PATH=/usr/sbin:/usr/bin",
            *labels,
        ],
    )
    announce(f"imported in {time.monotonic() - started:.1f} s")


def _compiled(build: Build, home: Home, announce: Callable[[str], None]) -> tuple[Path, ...]:
    """Return the program that no package has, if the image is made of one."""
    if build.go is None:
        return ()
    try:
        return (Go(home.go).install(build.go, into=home.go, announce=announce),)
    except CommandError as error:
        raise ImageError(
            f"{build.go.source} cannot be compiled: {error}",
            remedy="check that Go 1.26 or newer is first on PATH and reaches its module proxy, "
            "or give a bundle that has the image",
        ) from error


def _software(build: Build, packages: Sequence[Path]) -> str:
    if build.go is not None:
        return f"{build.go.name} {build.go.version}"
    return software_version(build.software, packages)
