"""Download Debian packages with the machine's own apt, which keeps folders of ours."""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness.command import Completed, run
from harness.debian.sources import find_archive
from harness.errors import CommandError, PackageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.debian.suite import Suite
    from harness.home import Home

APT_SOURCES = Path("/etc/apt")

# One run asks for several selections of a suite; a mirror changes a few times a day at most.
_FRESH_SECONDS = 3600

# The machine's hooks would run against its own caches, so they are cleared. A snapshot's or
# sid's Release may have outlived its date; its signature is verified all the same.
_CONFIGURATION = """\
#clear APT::Update;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
Dir::State "{folder}/state";
Dir::State::status "{folder}/no-packages";
Dir::Cache "{folder}";
Dir::Cache::archives "archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{folder}/archive.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
"""


def download(
    packages: Sequence[str],
    *,
    suite: Suite,
    home: Home,
    announce: Callable[[str], None],
    closure: bool = True,
    timeout_seconds: float = 600,
    sources: Path = APT_SOURCES,
) -> tuple[Path, ...]:
    """Return the `.deb` files of packages, downloading those that are not there yet.

    With `closure`, also those of all they depend on, as for an empty system. What was asked
    for once is answered from the home without any network. Runs at the same time wait for
    each other; an interrupted download is resumed. Signatures are always verified. `sources`
    is the folder of apt's own sources, which name the mirror.

    Raises PackageError with a remedy: no apt here, no Debian archive, unknown package, time.
    """
    folder = home.packages / suite
    wanted = sorted(set(packages))
    selection = hashlib.sha256(repr((closure, wanted)).encode()).hexdigest()[:16]
    listing = folder / "selections" / selection
    known = _listed(listing, folder)
    if known:
        return known
    listing.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=timeout_seconds):
            if not _listed(listing, folder):
                apt = _Apt(folder, suite, timeout_seconds)
                apt.prepare(sources)
                _write(listing, _fetch(apt, wanted, closure=closure, announce=announce))
            return _listed(listing, folder)
    except Timeout as error:
        raise PackageError(
            f"another run has been downloading into {folder} for {timeout_seconds:g} s",
            remedy="wait for it or end it, then try again",
        ) from error


def _fetch(
    apt: _Apt, wanted: list[str], *, closure: bool, announce: Callable[[str], None]
) -> list[str]:
    """Fetch by the lists that are there when they are fresh; by new ones where these fail.

    A mirror may have replaced a package since its lists were fetched.
    """
    if apt.lists_are_fresh():
        with suppress(PackageError):
            return apt.fetch(wanted, closure=closure, announce=announce)
    apt.update()
    return apt.fetch(wanted, closure=closure, announce=announce)


def _listed(listing: Path, folder: Path) -> tuple[Path, ...]:
    if not listing.exists():
        return ()
    files = tuple(folder / "archives" / name for name in listing.read_text("utf-8").split())
    return files if all(file.exists() for file in files) else ()


def _write(listing: Path, names: list[str]) -> None:
    draft = listing.with_suffix(".draft")
    draft.write_text("\n".join(names), "utf-8")
    draft.replace(listing)


@dataclass(frozen=True)
class _Apt:
    """The machine's apt, with one suite as its only source and one folder as its state."""

    folder: Path
    suite: Suite
    timeout_seconds: float

    @property
    def _stanza(self) -> Path:
        """The only source that apt is told of."""
        return self.folder / "archive.sources"

    @property
    def _updated(self) -> Path:
        """Holds the source that the lists are from; as old as they are."""
        return self.folder / "updated"

    def prepare(self, sources: Path) -> None:
        """Make the folders and the configuration."""
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise PackageError(
                "this is not a Debian-like system: apt-get and dpkg-deb are missing",
                remedy="install Docker 23 or newer yourself, and bring the images along",
            )
        for name in ("archives/partial", "state/lists/partial", "nothing"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "no-packages").touch()
        self._stanza.write_text(find_archive(sources).stanza(self.suite), "utf-8")
        configuration = _CONFIGURATION.format(folder=self.folder)
        (self.folder / "apt.conf").write_text(configuration, "utf-8")

    def lists_are_fresh(self) -> bool:
        """Whether the lists are young and from the mirror that the machine uses now."""
        if not self._updated.exists():
            return False
        age = time.time() - self._updated.stat().st_mtime
        return 0 <= age < _FRESH_SECONDS and (
            self._updated.read_text("utf-8") == self._stanza.read_text("utf-8")
        )

    def update(self) -> None:
        """Fetch the suite's list of packages."""
        self._updated.unlink(missing_ok=True)
        self._run(["update"], "archives")
        self._updated.write_text(self._stanza.read_text("utf-8"), "utf-8")

    def fetch(
        self, wanted: list[str], *, closure: bool, announce: Callable[[str], None]
    ) -> list[str]:
        """Download packages into `archives`; return the names of the files."""
        action = ["install", "--yes", "--download-only"] if closure else ["download"]
        # apt names only files that it does not see: in the archives for `install`, in the
        # working folder for `download`.
        unseen = ["-o", "Dir::Cache::archives=/dev/null", "--print-uris"]
        plan = self._run([*unseen, *action, *wanted], "nothing")
        files = [(row[1], int(row[2])) for row in map(str.split, plan.text.splitlines())]
        megabytes = sum(size for _, size in files) / 1e6
        announce(f"getting {len(files)} packages of Debian {self.suite} ({megabytes:.0f} MB)")
        self._run([*action, *wanted], "archives")
        return [name for name, _ in files]

    def _run(self, arguments: list[str], directory: str) -> Completed:
        command = ["apt-get", "--config-file", str(self.folder / "apt.conf"), "-qq", *arguments]
        try:
            return run(
                command,
                timeout_seconds=self.timeout_seconds,
                directory=self.folder / directory,
            )
        except CommandError as error:
            raise PackageError(
                f"apt cannot get packages of Debian {self.suite}: {error}",
                remedy=_remedy(str(error), self.suite),
            ) from error


def _remedy(error: str, suite: Suite) -> str:
    if "Unable to locate package" in error or "has no installation candidate" in error:
        return f"name packages that Debian {suite} has"
    if "NO_PUBKEY" in error or "is not signed" in error:
        return f"upgrade debian-archive-keyring, so that apt knows the keys of {suite}"
    return "check that the mirror in apt's sources can be reached, then try again"
