"""Traps in containerd's own configuration that keep every hosts.toml from being read."""

from __future__ import annotations

import tomllib
from posixpath import normpath
from typing import TYPE_CHECKING

from harness.hosts_toml.finding import (
    CERTS_D,
    LintFinding,
    Rule,
    runtime_release,
    syntax_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "containerd's configuration"

# Where image pulls are configured: containerd 2.x, 1.x, and 1.x with configuration version 1.
_PLUGINS = ("io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri")
_FIRST_TRANSFER_RELEASE = (2, 1)


def lint_runtime_config(text: str, version: str, *, root: str = CERTS_D) -> tuple[LintFinding, ...]:
    """Search the effective configuration (`containerd config dump`) of a containerd `version`.

    `root` is the folder that is meant to be read.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"this is not TOML ({error}): containerd does not start with it"
        return (LintFinding(Rule.SYNTAX, PATH, syntax_line(error), problem, "mend the line"),)
    plugins = _table(document, "plugins")
    for name in _PLUGINS:
        images = _table(plugins, name)
        if "registry" in images:
            return tuple(_registry(images, version, root))
    return tuple(_registry({}, version, root))


def _registry(images: dict[str, object], version: str, root: str) -> Iterator[LintFinding]:
    registry = _table(images, "registry")
    config_path = str(registry.get("config_path") or "")
    mirrors = _table(registry, "mirrors")
    if config_path:
        yield from _folders(config_path.split(":"), images, version, root)
        yield from _legacy(registry, version)
    elif mirrors:
        yield _finding(
            Rule.LEGACY_MIRRORS,
            "mirrors are configured here and hosts.toml files are ignored; containerd 2.2.0 does "
            "not load its image service with such a configuration",
            f'move the mirrors to hosts.toml files and set config_path = "{root}"',
        )
    else:
        yield _finding(
            Rule.CONFIG_PATH_EMPTY,
            "config_path is empty, so every hosts.toml is ignored",
            f'set config_path = "{root}" in the registry table and restart containerd',
        )


def _folders(
    folders: list[str], images: dict[str, object], version: str, root: str
) -> Iterator[LintFinding]:
    if normpath(root) not in map(normpath, folders):
        yield _finding(
            Rule.CONFIG_PATH_ELSEWHERE,
            f"config_path is {':'.join(folders)}, so files below {root} are ignored",
            f'set config_path = "{root}", or move the files',
        )
    release = runtime_release(version)
    # These two make containerd pull by itself, which reads lists; kind sets the second.
    pulls_itself = images.get("use_local_image_pull") or images.get("discard_unpacked_layers")
    transfers = release is None or release >= _FIRST_TRANSFER_RELEASE
    if len(folders) > 1 and transfers and not pulls_itself:
        yield _finding(
            Rule.CONFIG_PATH_LIST,
            "config_path is a list, which the transfer service takes for one folder: every "
            "hosts.toml is silently ignored and nodes ask the public registry",
            f'set config_path = "{root}" alone',
        )


def _legacy(registry: dict[str, object], version: str) -> Iterator[LintFinding]:
    if _table(registry, "mirrors"):
        yield _finding(
            Rule.LEGACY_WITH_CONFIG_PATH,
            "mirrors stand beside config_path: containerd does not load its image service",
            "move the mirrors to hosts.toml files and remove them here",
        )
    configs = _table(registry, "configs")
    if any(_table(configs, name).get("tls") for name in configs):
        release = runtime_release(version)
        first = release is None or release < (2, 0)
        effect = "does not load its image service" if first else "ignores them"
        yield _finding(
            Rule.LEGACY_WITH_CONFIG_PATH,
            f"TLS options stand in configs beside config_path: containerd {effect}",
            "move ca, client and skip_verify to hosts.toml files and remove them here",
        )


def _finding(rule: Rule, problem: str, remedy: str) -> LintFinding:
    return LintFinding(rule, PATH, None, problem, remedy)


def _table(holder: dict[str, object], key: str) -> dict[str, object]:
    """Return a table, empty where there is none."""
    value = holder.get(key)
    return value if isinstance(value, dict) else {}
