"""Traps in containerd's own configuration: hosts.toml unread, or pulls of another kind."""

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
        return tuple(_registry(_images(text), version, root))
    except (ValueError, RecursionError) as error:
        return (_not_toml(error),)


def lint_pull_path(text: str, version: str) -> tuple[LintFinding, ...]:
    """Search for what makes a containerd pull in another way than it does by itself.

    kind's own node images set `discard_unpacked_layers = true`. With it containerd 2.1 and
    later do not use the transfer service, so that a lab hides what breaks there, such as a list
    of folders as config_path (containerd/containerd#12808); and no node keeps the bytes of a
    layer, so that nobody can compare them.
    """
    try:
        images = _images(text)
    except (ValueError, RecursionError) as error:
        return (_not_toml(error),)
    release = runtime_release(version)
    transfers = release is None or release >= _FIRST_TRANSFER_RELEASE
    return tuple(_own_ways(images, transfers=transfers))


def _own_ways(images: dict[str, object], *, transfers: bool) -> Iterator[LintFinding]:
    discards = images.get("discard_unpacked_layers") or _table(images, "containerd").get(
        "discard_unpacked_layers"
    )
    if discards:
        path = "pulls without the transfer service, " if transfers else ""
        yield _finding(
            Rule.PULL_PATH,
            f"discard_unpacked_layers is true: this node {path}forgets the bytes of layers, and "
            "hides what other nodes show",
            "set discard_unpacked_layers = false; in kind by containerdConfigPatches",
        )
    if images.get("use_local_image_pull") and transfers:
        yield _finding(
            Rule.PULL_PATH,
            "use_local_image_pull is true: this node pulls without the transfer service, and "
            "hides what other nodes show",
            "remove use_local_image_pull",
        )


def _images(text: str) -> dict[str, object]:
    """Return the table in which pulls are configured. Raises ValueError for what is no TOML."""
    plugins = _table(tomllib.loads(text), "plugins")
    for name in _PLUGINS:
        images = _table(plugins, name)
        if "registry" in images:
            return images
    return {}


def _not_toml(error: Exception) -> LintFinding:
    problem = f"this is not TOML ({error}): containerd does not start with it"
    return LintFinding(Rule.SYNTAX, PATH, syntax_line(error), problem, "mend the line")


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
