"""Build an image from Debian packages."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from harness.debian import download
from harness.images import store
from harness.images.kind_node import build_kind_node
from harness.images.root_filesystem import root_filesystem, software_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker import DockerClient

    from harness.home import Home
    from harness.images.recipe import Build, Recipe

IMAGE_LABEL = "pullproof.image"
SOFTWARE_LABEL = "pullproof.software"


def build_image(
    recipe: Recipe,
    build: Build,
    *,
    client: DockerClient,
    home: Home,
    announce: Callable[[str], None],
) -> None:
    """Build an image into the store. Its name appears only when it is whole.

    Raises PackageError when packages cannot be had, ImageError when the engine refuses.
    """
    packages = download(build.packages, suite=build.suite, home=home, announce=announce)
    software = software_version(build.software, packages)
    if recipe.kubernetes is not None:
        software = f"kubernetes {recipe.kubernetes.version}, {software}"
    labels = [
        f"LABEL {IMAGE_LABEL}={recipe.image}",
        f"LABEL {SOFTWARE_LABEL}={json.dumps(software)}",
    ]
    if recipe.kubernetes is not None:
        build_kind_node(
            recipe,
            build,
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
        root_filesystem(build, packages),
        repository=recipe.repository,
        tag=recipe.hash,
        changes=[
            f"ENTRYPOINT {json.dumps(build.entrypoint)}",
            "ENV PATH=/usr/sbin:/usr/bin",
            *labels,
        ],
    )
    announce(f"imported in {time.monotonic() - started:.1f} s")
