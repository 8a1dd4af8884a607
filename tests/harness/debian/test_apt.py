"""Runs the real apt against a small signed archive on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from harness.command import run
from harness.debian import Suite, download
from harness.errors import PackageError
from harness.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("apt-get", "dpkg-deb", "gpg")),
    reason="needs apt-get, dpkg-deb and gpg",
)

PACKAGES = {"tool": "library (>= 1)", "library": "", "other": ""}


@dataclass(frozen=True)
class Mirror:
    """A Debian archive in a folder and the folder of sources that names it."""

    root: Path
    sources: Path

    def names(self) -> list[str]:
        return sorted(path.name for path in self.root.rglob("*.deb"))


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with new_signer(tmp_path_factory.mktemp("gpg")) as folder:
        yield folder


@pytest.fixture
def mirror(tmp_path: Path, signer: Path) -> Mirror:
    root = tmp_path / "debian"
    sources = tmp_path / "apt"
    sources.mkdir()
    mirror = Mirror(root, sources)
    publish(mirror, signer, PACKAGES)
    (sources / "sources.list").write_text(
        f"deb [signed-by={signer / 'key.gpg'}] copy:{root} trixie main\n"
    )
    return mirror


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@contextmanager
def new_signer(folder: Path) -> Iterator[Path]:
    """Make a key in a folder of gpg's; end the agent that gpg starts by itself."""
    folder.chmod(0o700)
    try:
        gpg(folder, "--passphrase", "", "--quick-generate-key", "a@b.test", "ed25519", "sign")
        (folder / "key.gpg").write_bytes(gpg(folder, "--export"))
        yield folder
    finally:
        run(["gpgconf", "--homedir", folder, "--kill", "gpg-agent"], timeout_seconds=30)


def gpg(folder: Path, *arguments: str) -> bytes:
    command = ["gpg", "--homedir", str(folder), "--batch", "--yes", *arguments]
    return run(command, timeout_seconds=60).stdout


def architecture() -> str:
    return run(["dpkg", "--print-architecture"], timeout_seconds=10).text.strip()


def build(root: Path, name: str, depends: str) -> str:
    """Build a package below an archive's root; return its paragraph of the index."""
    tree = root.parent / "trees" / name
    (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
    control = (
        f"Package: {name}\nVersion: 1:1.0-1\nArchitecture: all\n"
        f"Maintainer: Nobody <nobody@example.test>\nDescription: made by a test\n"
        + (f"Depends: {depends}\n" if depends else "")
    )
    (tree / "DEBIAN" / "control").write_text(control)
    pool = root / "pool" / f"{name}_1.0-1_all.deb"
    pool.parent.mkdir(parents=True, exist_ok=True)
    run(["dpkg-deb", "--root-owner-group", "--build", tree, pool], timeout_seconds=30)
    content = pool.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return (
        f"{control}Filename: {pool.relative_to(root)}\nSize: {len(content)}\nSHA256: {digest}\n\n"
    )


def publish(mirror: Mirror, signer: Path, packages: dict[str, str]) -> None:
    """Fill the archive, or replace what it has, and sign its lists."""
    index = "".join(build(mirror.root, name, depends) for name, depends in packages.items())
    suite = mirror.root / "dists" / "trixie"
    listing = suite / "main" / f"binary-{architecture()}" / "Packages"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text(index)
    sign(suite, listing, signer)
    # apt tells a changed file by its time, in seconds.
    os.utime(suite / "InRelease", (len(packages), len(packages)))


def sign(suite: Path, packages: Path, signer: Path) -> None:
    content = packages.read_bytes()
    release = suite / "Release"
    release.write_text(
        f"Suite: trixie\nCodename: trixie\nArchitectures: {architecture()}\nComponents: main\n"
        f"Date: {formatdate(usegmt=True)}\nSHA256:\n"
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {packages.relative_to(suite)}\n"
    )
    gpg(signer, "--clearsign", "--output", str(suite / "InRelease"), str(release))
    release.unlink()


def fetch(mirror: Mirror, home: Home, *packages: str, closure: bool = True) -> list[str]:
    """Download and return the names of the packages' files."""
    files = download(
        packages,
        suite=Suite.TRIXIE,
        home=home,
        announce=lambda _: None,
        closure=closure,
        sources=mirror.sources,
    )
    assert all(file.is_relative_to(home.packages / "trixie") for file in files)
    return sorted(file.name.partition("_")[0] for file in files if file.stat().st_size)


def test_package_comes_with_what_it_depends_on(mirror: Mirror, home: Home) -> None:
    assert fetch(mirror, home, "tool") == ["library", "tool"]


def test_package_comes_alone_when_asked_for(mirror: Mirror, home: Home) -> None:
    assert fetch(mirror, home, "tool", closure=False) == ["tool"]


def test_package_that_is_there_already_is_still_listed(mirror: Mirror, home: Home) -> None:
    fetch(mirror, home, "tool", "other")

    assert fetch(mirror, home, "library") == ["library"]
    assert fetch(mirror, home, "tool", closure=False) == ["tool"]


def test_second_request_needs_no_mirror(mirror: Mirror, home: Home) -> None:
    fetch(mirror, home, "tool", "other")
    shutil.rmtree(mirror.root)
    (mirror.sources / "sources.list").unlink()

    assert fetch(mirror, home, "other", "tool", "tool") == ["library", "other", "tool"]


def test_lost_file_is_fetched_again(mirror: Mirror, home: Home) -> None:
    fetch(mirror, home, "tool")
    for deb in (home.packages / "trixie" / "archives").glob("library*"):
        deb.unlink()

    assert fetch(mirror, home, "tool") == ["library", "tool"]


def test_fresh_lists_are_not_fetched_again(mirror: Mirror, home: Home) -> None:
    fetch(mirror, home, "tool")
    (packages,) = mirror.root.rglob("Packages")
    packages.unlink()  # an update would fail now

    assert fetch(mirror, home, "other") == ["other"]


def test_old_lists_are_fetched_again(mirror: Mirror, home: Home, signer: Path) -> None:
    fetch(mirror, home, "tool")
    publish(mirror, signer, PACKAGES | {"new": ""})
    os.utime(home.packages / "trixie" / "updated", (0, 0))

    assert fetch(mirror, home, "other") == ["other"]
    (fetched,) = (home.packages / "trixie" / "state" / "lists").glob("*_InRelease")
    (published,) = mirror.root.rglob("InRelease")
    assert fetched.read_text() == published.read_text()


def test_lists_of_another_mirror_are_fetched_again(
    mirror: Mirror, home: Home, tmp_path: Path
) -> None:
    fetch(mirror, home, "tool")
    elsewhere = tmp_path / "moved" / "debian"
    elsewhere.parent.mkdir()
    mirror.root.rename(elsewhere)
    sources = mirror.sources / "sources.list"
    sources.write_text(sources.read_text().replace(str(mirror.root), str(elsewhere)))

    assert fetch(mirror, home, "other") == ["other"]


def test_package_that_came_after_fresh_lists_is_found(
    mirror: Mirror, home: Home, signer: Path
) -> None:
    fetch(mirror, home, "tool")
    publish(mirror, signer, PACKAGES | {"new": ""})

    assert fetch(mirror, home, "new") == ["new"]


def test_two_runs_at_once_both_get_their_packages(mirror: Mirror, home: Home) -> None:
    got: list[list[str]] = []
    threads = [
        Thread(target=lambda: got.append(fetch(mirror, home, "tool", "other"))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [["library", "other", "tool"]] * 2


def test_unknown_package_is_named(mirror: Mirror, home: Home) -> None:
    with pytest.raises(PackageError, match="nonesuch") as caught:
        fetch(mirror, home, "nonesuch")

    assert caught.value.remedy == "name packages that Debian trixie has"


def test_unreachable_mirror_is_told_apart(mirror: Mirror, home: Home) -> None:
    shutil.rmtree(mirror.root)

    with pytest.raises(PackageError) as caught:
        fetch(mirror, home, "tool")

    assert "mirror" in caught.value.remedy


def test_archive_signed_by_a_stranger_is_refused(
    mirror: Mirror, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "g").mkdir()
    (packages,) = mirror.root.rglob("Packages")
    with new_signer(tmp_path / "g") as stranger:
        sign(mirror.root / "dists" / "trixie", packages, stranger)

    with pytest.raises(PackageError) as caught:
        fetch(mirror, home, "tool")

    assert "debian-archive-keyring" in caught.value.remedy


def test_package_that_was_changed_is_refused(mirror: Mirror, home: Home) -> None:
    for deb in mirror.root.rglob("library*.deb"):
        content = deb.read_bytes()
        deb.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(PackageError):
        fetch(mirror, home, "tool")


def test_other_systems_are_told_what_to_do(
    mirror: Mirror, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(mirror.root))

    with pytest.raises(PackageError, match="not a Debian-like system") as caught:
        fetch(mirror, home, "tool")

    assert "install Docker" in caught.value.remedy


def test_run_that_downloads_for_too_long_is_named(mirror: Mirror, home: Home) -> None:
    folder = home.packages / "trixie"
    folder.mkdir(parents=True)
    with FileLock(folder / "lock"), pytest.raises(PackageError, match="another run"):
        download(
            ["tool"],
            suite=Suite.TRIXIE,
            home=home,
            announce=lambda _: None,
            timeout_seconds=0.1,
            sources=mirror.sources,
        )
