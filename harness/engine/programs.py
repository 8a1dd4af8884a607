"""The private engine's programs: Debian packages, unpacked beside its data."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.command import run
from harness.debian import Suite, download, host_suite, unpack
from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.home import Home

_OS_RELEASE = Path("/etc/os-release")

# Written in Go: they run on older C libraries than those of their own suite.
_ENGINE_PACKAGES = ("containerd", "docker-cli", "docker.io")
_ENGINE_SUITE = Suite.TRIXIE
# Linked to the C library of their suite, so they come from the machine's own. iptables is
# needed inside containers: Docker's resolver redirects port 53 of 127.0.0.11 with it.
_HOST_PACKAGES = (
    *("iptables", "libip4tc2", "libip6tc2", "libxtables12"),
    *("libmnl0", "libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11"),
    "runc",
)
# Part of the folder's name: to be raised when what lies in it changes.
_LAYOUT = 2


@dataclass(frozen=True)
class Programs:
    """A folder with the unpacked programs and the environment in which they run."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where the links to chosen programs lie, `docker` among them."""
        return self.root / "chosen"

    @property
    def environment(self) -> dict[str, str]:
        """Environment for dockerd and all that it starts."""
        libraries = next((self.root / "usr" / "lib").glob("*-linux-*"))
        own = (self.folder, self.root / "usr" / "sbin", self.root / "usr" / "bin")
        return {
            "PATH": ":".join([*map(str, own), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]),
            "LD_LIBRARY_PATH": str(libraries),
            "XTABLES_LIBDIR": str(libraries / "xtables"),
        }

    def choose_iptables(self) -> None:
        """Link `iptables` to the variant that this kernel supports, found out by trying.

        The rule is the one that Docker's resolver makes; it is tried in a network namespace
        of its own. Raises EngineError where neither works.
        """
        refusals = []
        for variant in ("nft", "legacy"):
            refusal = self._try_variant(variant)
            if refusal is None:
                link = self.folder / "iptables"
                link.unlink(missing_ok=True)
                link.symlink_to(self.iptables(variant))
                return
            refusals.append(f"{variant}: {refusal}")
        raise EngineError(
            f"iptables does not work with this kernel: {'; '.join(refusals)}",
            remedy="load the kernel modules nft_compat and xt_nat, or iptable_nat",
        )

    def iptables(self, variant: str) -> Path:
        """Return a link by which a variant, `nft` or `legacy`, can be called as iptables."""
        return self.root / variant / "iptables"

    def _try_variant(self, variant: str) -> str | None:
        rule = "-t nat -A OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to-destination"
        done = run(
            ["unshare", "--net", self.iptables(variant), *rule.split(), "127.0.0.11:1053"],
            environment=self.environment,
            timeout_seconds=10,
            check=False,
        )
        return done.stderr.strip() if done.status else None


def install_programs(home: Home, announce: Callable[[str], None]) -> Programs:
    """Download and unpack the programs below the home, unless they are there already.

    Raises EngineError on other systems than Debian, PackageError where packages are missing.
    """
    suite = host_suite(_OS_RELEASE)
    if suite is None:
        raise EngineError(
            "there is no Docker engine here, and a private one can be made on Debian only",
            remedy="install Docker 23 or newer, start it, and let this user reach its socket",
        )
    debs = (
        *download(
            _ENGINE_PACKAGES, suite=_ENGINE_SUITE, home=home, announce=announce, closure=False
        ),
        *download(_HOST_PACKAGES, suite=suite, home=home, announce=announce, closure=False),
    )
    names = "\n".join(deb.name for deb in debs)
    digest = hashlib.sha256(f"{_LAYOUT}\n{names}".encode()).hexdigest()[:12]
    programs = Programs(home.engine / f"programs-{digest}")
    if not programs.root.exists():
        announce("unpacking the private container engine")
        draft = home.engine / "programs.draft"
        shutil.rmtree(draft, ignore_errors=True)
        unpack(debs, into=draft)
        _link(draft)
        draft.rename(programs.root)
    return programs


def _link(root: Path) -> None:
    """Make the links by which programs are called."""
    for folder in ("chosen", "nft", "legacy"):
        (root / folder).mkdir()
    (root / "chosen" / "docker").symlink_to("../usr/bin/docker")
    for variant in ("nft", "legacy"):
        program = f"../usr/sbin/xtables-{variant}-multi"
        (root / variant / "iptables").symlink_to(program)
