"""Programs of a Kubernetes node, compiled from the Go modules that their projects publish."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import CommandError, ImageError
from harness.golang import Go

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.home import Home
    from harness.images.recipe import Kubernetes

# Ours; nobody can publish a module under this name.
_MODULE = "pullproof.invalid/kind-node"
_PROGRAMS = ("agent", "coredns", "etcd", "kubernetes", "pause")
# What several of them import.
_SHARED = "firewall"
# Compiled one after the other, so that progress can be told and an interrupted build goes on
# behind the last of them.
_LONG_PACKAGES = tuple(
    f"k8s.io/kubernetes/cmd/{name}/app"
    for name in ("kubelet", "kube-apiserver", "kube-controller-manager", "kubeadm", "kube-proxy")
)
_LINKING = ("-s", "-w")
_STAGED = re.compile(r"^\s*(?:replace )?(k8s\.io/\S+) => \./staging/", re.MULTILINE)
_GO_DIRECTIVE = re.compile(r"^(?:go|godebug) .*$", re.MULTILINE)


def compile_programs(
    kubernetes: Kubernetes, *, home: Home, announce: Callable[[str], None]
) -> tuple[Path, ...]:
    """Return the programs of a node, compiling those that have changed since they were compiled.

    Go's caches lie in the home, so that an interrupted build goes on where it ended; they are
    some 10 GB and are removed once all is compiled. Runs at the same time wait for each other.
    Modules come from where this machine's Go gets them, verified by its checksum database.
    Raises ImageError where Go is missing or too old, or a module cannot be had.
    """
    workshop = _Workshop(Go(home.go), home.go / kubernetes.version, kubernetes, announce)
    with workshop.go.lock():
        workshop.output.mkdir(parents=True, exist_ok=True)
        missing = [name for name in _PROGRAMS if not workshop.has(name)]
        if missing:
            _compile(missing, workshop)
            workshop.go.remove_caches()
    return tuple(workshop.output / name for name in _PROGRAMS)


def _compile(names: list[str], workshop: _Workshop) -> None:
    version = workshop.kubernetes.version
    started = time.monotonic()
    try:
        workshop.write_sources()
        for name in names:
            workshop.build(name)
    except CommandError as error:
        raise ImageError(
            f"Kubernetes {version} cannot be compiled: {error}",
            remedy="check that Go 1.26 or newer is first on PATH and reaches its module proxy, "
            "or give a bundle that has the node image",
        ) from error
    workshop.announce(f"compiled Kubernetes {version} in {time.monotonic() - started:.0f} s")


def stamp(program: str, kubernetes: Kubernetes) -> str:
    """Return a text that changes with anything of ours that changes a compiled program."""
    own = [each for each in kubernetes.sources if each[0].split("/")[0] in (program, _SHARED)]
    versions = (kubernetes.version, kubernetes.etcd, kubernetes.coredns)
    return hashlib.sha256(repr((versions, own, _LINKING)).encode()).hexdigest()


def module_file(kubernetes: Kubernetes, published: str) -> str:
    """Return the go.mod of our programs, given the published one of that Kubernetes.

    Kubernetes names the libraries that it publishes beside itself by paths in its own tree;
    outside of that they have the version 0.x that belongs to its 1.x.
    """
    library = kubernetes.version.replace("1.", "v0.", 1)
    staged = sorted(set(_STAGED.findall(published)))
    return "\n".join(
        [
            f"module {_MODULE}",
            *_GO_DIRECTIVE.findall(published),
            "require (",
            f"\tgithub.com/coredns/coredns v{kubernetes.coredns}",
            f"\tgo.etcd.io/etcd/server/v3 v{kubernetes.etcd}",
            f"\tk8s.io/kubernetes v{kubernetes.version}",
            ")",
            "replace (",
            *(f"\t{module} => {module} {library}" for module in staged),
            ")",
            "",
        ]
    )


@dataclass(frozen=True)
class _Workshop:
    """One version's sources and programs; the caches are shared by all versions."""

    go: Go
    folder: Path
    kubernetes: Kubernetes
    announce: Callable[[str], None]

    def write_sources(self) -> None:
        """Lay our programs and their go.mod afresh; go.sum is Go's own and stays."""
        self.announce(f"getting the modules of Kubernetes {self.kubernetes.version}")
        version = f"v{self.kubernetes.version}"
        wanted = f"k8s.io/kubernetes@{version}"
        self.go.run("mod", "download", wanted, directory=self.go.folder)
        cached = self.go.modules / "cache" / "download" / "k8s.io" / "kubernetes" / "@v"
        published = (cached / f"{version}.mod").read_text("utf-8")
        for path, text in self.kubernetes.sources:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        (self.folder / "go.mod").write_text(module_file(self.kubernetes, published), "utf-8")

    def has(self, name: str) -> bool:
        """Whether a program was compiled from the present sources."""
        file = self._stamp(name)
        return file.exists() and file.read_text() == stamp(name, self.kubernetes)

    def build(self, name: str) -> None:
        """Compile a program, the long one in steps that the cache keeps."""
        self._stamp(name).unlink(missing_ok=True)
        if name == "kubernetes":
            for package in _LONG_PACKAGES:
                self._step(package, "build", package)
        linked = " ".join([*_LINKING, *self._variables()])
        self._step(name, "build", "-ldflags", linked, "-o", f"{self.output}/", f"./{name}")
        self._stamp(name).write_text(stamp(name, self.kubernetes))

    @property
    def output(self) -> Path:
        """The folder of the compiled programs, each with its stamp beside it."""
        return self.folder / "programs"

    def _stamp(self, name: str) -> Path:
        return self.output / f"{name}.stamp"

    def _variables(self) -> list[str]:
        """Return what tells the programs their version."""
        major, minor, _ = self.kubernetes.version.split(".")
        told = {
            "gitVersion": f"v{self.kubernetes.version}",
            "gitMajor": major,
            "gitMinor": minor,
            "gitTreeState": "clean",
        }
        return [f"-X k8s.io/component-base/version.{name}={told[name]}" for name in told]

    def _step(self, name: str, *arguments: str) -> None:
        started = time.monotonic()
        self.go.run(*arguments, directory=self.folder)
        seconds = time.monotonic() - started
        if seconds > 1:
            self.announce(f"compiled {name} in {seconds:.0f} s")
