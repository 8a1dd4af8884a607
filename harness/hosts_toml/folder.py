"""Traps in the tree below containerd's `config_path`: names that nothing looks for."""

from __future__ import annotations

import re
from itertools import chain
from posixpath import basename
from typing import TYPE_CHECKING

from harness.hosts_toml.content import lint_content
from harness.hosts_toml.finding import CERTS_D, LintFinding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = "hosts.toml"

# containerd's own forms, and Docker's certificates, which are read where there is no hosts.toml.
_HOST = r"(?P<name>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
_FOLDER = re.compile(rf"{_HOST}(?P<port>:\d+|_\d+_)?")
_CERTIFICATES = (".crt", ".cert", ".key", ".pem")


def lint(
    files: Mapping[str, bytes], *, root: str = CERTS_D, version: str = ""
) -> tuple[LintFinding, ...]:
    """Search all files below `root` for what containerd ignores, misreads or should not trust.

    `files` maps absolute paths on the node to contents, all of them, since a certificate that
    is missing in it is found missing on the node. `version` is containerd's: from 2.0 on, traps
    that only 1.x has are left out.
    """
    folders = {path.removeprefix(f"{root}/").partition("/")[0] for path in files}
    found = chain.from_iterable(
        _lint_file(path, files, root, folders, version) for path in sorted(files)
    )
    return tuple(found)


def _lint_file(
    path: str, files: Mapping[str, bytes], root: str, folders: set[str], version: str
) -> Iterator[LintFinding]:
    folder, _, name = path.removeprefix(f"{root}/").rpartition("/")
    if name != FILE:
        if _looks_like_hosts(name):
            yield LintFinding(
                Rule.WRONG_FILE_NAME,
                path,
                None,
                f"containerd looks for {FILE} only and never reads a file of this name",
                f"rename it to {FILE}, or remove it",
            )
        return
    if not folder or "/" in folder:
        yield _misplaced(path, folder, root)
        return
    problem, remedy = _folder_problem(folder)
    if problem:
        yield LintFinding(Rule.FOLDER_NEVER_MATCHES, path, None, problem, remedy)
    first = re.sub(r":(\d+)$", r"_\1_", folder)
    if first != folder and first in folders:
        yield LintFinding(
            Rule.SHADOWED_FOLDER,
            path,
            None,
            f"containerd takes the folder {first} for the same registry and reads this one never",
            "keep one of the two folders",
        )
    yield from lint_content(path, files[path], present=files.keys(), root=root, version=version)


def _looks_like_hosts(name: str) -> bool:
    lower = name.lower()
    if lower.endswith(_CERTIFICATES):
        return False
    return lower.endswith(".toml") or lower.partition(".")[0] in {"host", "hosts"}


def _misplaced(path: str, folder: str, root: str) -> LintFinding:
    remedy = f"move it to {root}/<registry host>/{FILE}"
    if re.match(r"https?:", folder):
        return LintFinding(
            Rule.FOLDER_NEVER_MATCHES,
            path,
            None,
            "the folder's name begins with a scheme, which registries in image names never have",
            f"move it to {root}/{basename(folder)}/{FILE}",
        )
    problem = f"containerd looks for {FILE} in the folders right below {root}, not here"
    return LintFinding(Rule.MISPLACED_FILE, path, None, problem, remedy)


def _folder_problem(folder: str) -> tuple[str, str]:
    """Return why no image can lead to a folder and what to name it; empty when one can."""
    if folder == "_default":
        return "", ""
    if folder == "index.docker.io":
        return "images of index.docker.io are looked up as docker.io", "name it docker.io"
    parts = _FOLDER.fullmatch(folder)
    if parts is None:
        return (
            f"{folder} is no host of a registry, so no image leads here",
            "name it host, host:port, host_port_ or _default",
        )
    # A first part without dot and port belongs to an image of Docker Hub.
    name = parts["name"]
    hub = not parts["port"] and not re.search(r"[.:A-Z]", name) and name != "localhost"
    if hub:
        return (
            f"{folder} has neither dot nor port, so images named {folder}/... are Docker Hub's",
            "add the port or domain that image names carry, or name it _default",
        )
    return "", ""
