"""Programs of a Kubernetes node, compiled from the Go modules that their projects publish."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

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
# Compiled one after the other, so that progress can be told and an interrupted build goes on
# behind the last of them.
_LONG_PACKAGES = tuple(
    f"k8s.io/kubernetes/cmd/{name}/app"
    for name in ("kubelet", "kube-apiserver", "kube-controller-manager", "kubeadm", "kube-proxy")
)
_STAGED = re.compile(r"^\s*(?:replace )?(k8s\.io/\S+) => \./staging/", re.MULTILINE)
_GO_DIRECTIVE = re.compile(r"^(?:go|godebug) .*$", re.MULTILINE)


def compile_programs(
    kubernetes: Kubernetes, *, home: Home, announce: Callable[[str], None]
) -> tuple[Path, ...]:
    """Return the programs of a node, compiling what has not been compiled before.

    Go's caches lie in the home, so that an interrupted build goes on where it ended; runs at
    the same time wait for each other. Modules come from where this machine's Go gets them,
    verified by its checksum database. Raises ImageError where Go is missing or too old, or a
    module cannot be had.
    """
    workshop = _Workshop(Go(home.go), home.go / kubernetes.version, kubernetes, announce)
    workshop.folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        with FileLock(home.go / "lock"):
            workshop.write_sources()
            programs = workshop.build()
    except CommandError as error:
        raise ImageError(
            f"Kubernetes {kubernetes.version} cannot be compiled: {error}",
            remedy="check that Go 1.26 or newer is first on PATH and reaches its module proxy, "
            "or give a bundle that has the node image",
        ) from error
    announce(f"compiled Kubernetes {kubernetes.version} in {time.monotonic() - started:.0f} s")
    return programs


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

    def build(self) -> tuple[Path, ...]:
        """Compile in steps, each of which the cache keeps."""
        output = self.folder / "programs"
        output.mkdir(exist_ok=True)
        for package in _LONG_PACKAGES:
            self._step(package, "build", package)
        for name in _PROGRAMS:
            self._step(name, "build", "-ldflags", self._linked, "-o", f"{output}/", f"./{name}")
        return tuple(output / name for name in _PROGRAMS)

    @property
    def _linked(self) -> str:
        major, minor, _ = self.kubernetes.version.split(".")
        told = {
            "gitVersion": f"v{self.kubernetes.version}",
            "gitMajor": major,
            "gitMinor": minor,
            "gitTreeState": "clean",
        }
        variables = (f"-X k8s.io/component-base/version.{k}={v}" for k, v in told.items())
        return " ".join(["-s", "-w", *variables])

    def _step(self, name: str, *arguments: str) -> None:
        started = time.monotonic()
        self.go.run(*arguments, directory=self.folder)
        seconds = time.monotonic() - started
        if seconds > 1:
            self.announce(f"compiled {name} in {seconds:.0f} s")
