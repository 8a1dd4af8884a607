"""A tiny image, made of one Debian package."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from harness.debian import Suite, download, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from docker import DockerClient

    from harness.home import Home

APPLETS = ("cat", "httpd", "id", "ls", "mount", "nslookup", "ping", "sh", "sleep", "stat", "wget")


def fetch_busybox(home: Home) -> tuple[Path, ...]:
    """Download the package unless the home has it."""
    packages = ["busybox-static"]
    return download(packages, suite=Suite.TRIXIE, home=home, announce=print, closure=False)


def import_busybox(client: DockerClient, home: Home, folder: Path) -> str:
    """Unpack busybox below a folder, import it and return the image's id."""
    unpack(fetch_busybox(home), into=folder)
    for name in APPLETS:
        (folder / "usr" / "bin" / name).symlink_to("busybox")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(folder, arcname=".")
    client.api.import_image_from_data(archive.getvalue(), repository="busybox", tag="test")
    return str(client.images.get("busybox:test").id)
