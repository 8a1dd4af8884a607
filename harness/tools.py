"""The command lines of Kubernetes: those on PATH, else the distribution's, else compiled."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from harness.debian import Suite, download, unpack
from harness.errors import CommandError, PackageError
from harness.golang import Go, GoProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.home import Home


class Tool(StrEnum):
    """A program that is called as its value says."""

    KIND = "kind"
    KUBECTL = "kubectl"
    HELM = "helm"


class ToolOrigin(StrEnum):
    """Where a tool came from."""

    PATH = "path"
    PACKAGE = "package"
    COMPILED = "compiled"


@dataclass(frozen=True)
class ProvidedTool:
    """A program that can be run by its path, without settings of its own."""

    tool: Tool
    path: Path
    origin: ToolOrigin


# They are written in Go, so those of sid run on older Debians too.
_PACKAGES = {Tool.KIND: "kind", Tool.KUBECTL: "kubectl"}
_SUITE = Suite.SID
# kubectl cannot be installed as a module: it names libraries by paths in Kubernetes' own tree.
_PROGRAMS = {
    Tool.KIND: GoProgram("sigs.k8s.io/kind", "0.33.0"),
    Tool.HELM: GoProgram("helm.sh/helm/v4/cmd/helm", "4.3.1"),
}


def provide_tool(
    tool: Tool, *, home: Home, announce: Callable[[str], None], environment: Mapping[str, str]
) -> ProvidedTool:
    """Return a tool, downloading or compiling it below the home where PATH has none.

    Runs at the same time wait for each other. Raises PackageError that names all that was
    tried.
    """
    found = shutil.which(tool, path=environment.get("PATH", ""))
    if found:
        return ProvidedTool(tool, Path(found), ToolOrigin.PATH)
    home.tools.mkdir(parents=True, exist_ok=True)
    refusals = ["PATH has none"]
    with FileLock(home.tools / f"{tool}.lock"):
        for obtain in (_from_package, _compiled):
            try:
                return obtain(tool, home, announce)
            except (PackageError, CommandError) as error:
                refusals.append(str(error))
    raise PackageError(
        f"{tool} cannot be had here: {'; '.join(refusals)}",
        remedy=f"install {tool} and put it on PATH",
    )


def _from_package(tool: Tool, home: Home, announce: Callable[[str], None]) -> ProvidedTool:
    package = _PACKAGES.get(tool)
    if package is None:
        raise PackageError(f"no package of Debian {_SUITE} has {tool}")
    debs = download([package], suite=_SUITE, home=home, announce=announce, closure=False)
    digest = hashlib.sha256("\n".join(deb.name for deb in debs).encode()).hexdigest()[:12]
    root = home.tools / f"{tool}-{digest}"
    if not root.exists():
        draft = home.tools / f"{tool}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        unpack(debs, into=draft)
        draft.rename(root)
    return ProvidedTool(tool, root / "usr" / "bin" / tool, ToolOrigin.PACKAGE)


def _compiled(tool: Tool, home: Home, announce: Callable[[str], None]) -> ProvidedTool:
    program = _PROGRAMS.get(tool)
    if program is None:
        raise PackageError(f"no module gives {tool}")
    path = Go(home.go).install(program, into=home.tools, announce=announce)
    return ProvidedTool(tool, path, ToolOrigin.COMPILED)
