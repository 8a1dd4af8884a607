"""Ways to break a registry's garbage collection: its program is replaced by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine import Container
from harness.registry import distribution_config as config
from tests.sabotage.breaking import distribution
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published

# Earlier on the path than the real one, in built and in published images.
PROGRAM = "/usr/sbin/registry"
REAL = "/bin/registry"
VICTIM = "/tmp/victim"  # holds the path of a blob

# What a script does in place of the registry's own commands; $@ are the arguments.
DELETES_A_LIVE_BLOB = f'{REAL} "$@"; rm -f "$(cat {VICTIM})"'
ONLY_CLAIMS = f'{REAL} "$@" --dry-run'
FINDS_NOTHING = "echo '0 blobs marked, 0 blobs and 0 manifests eligible for deletion'"
FAILS = "echo 'failed to garbage collect: failed to mark' >&2; exit 1"
FORETELLS_NOTHING = f'case "$*" in *--dry-run*) {{ {FINDS_NOTHING}; }} ;; *) {REAL} "$@" ;; esac'
TAKES_UNTAGGED_UNASKED = f'{REAL} "$@" --delete-untagged'
LEAVES_UNTAGGED = (
    f'for each; do shift; [ "$each" = --delete-untagged ] || set -- "$@" "$each"; done; {REAL} "$@"'
)
UPLOADS = f"{config.STORAGE_FOLDER}/docker/registry/v2/repositories/*/*/_uploads/*"
PURGES_UPLOADS = f'{REAL} "$@"; rm -rf {UPLOADS}'


def collect_by(script: str) -> Sabotage:
    """Have the registry under test and its copies collect garbage by a script from now on.

    The last layer of the image that was pushed last is the one that a script may delete.
    """

    def prepare(lab: Lab, published: Published) -> None:
        for container in (distribution(lab.primary)._container, *copies_of(lab.primary)):
            _replace(container, "garbage-collect", script)
            victim = config.blob_path(published.image.layers[-1].digest)
            container.put_file(VICTIM, victim.encode())

    return Sabotage(published=prepare)


def replace_serving(container: Container, script: str) -> None:
    """Have a script run in place of `registry serve`, from the next start on."""
    _replace(container, "serve", script)


def _replace(container: Container, command: str, script: str) -> None:
    text = f'#!/bin/sh\n[ "$1" = {command} ] || exec {REAL} "$@"\n{script}\n'
    container.put_file(PROGRAM, text.encode(), mode=0o755)


def copies_of(registry: Registry) -> tuple[Container, ...]:
    """Return the containers of registries that run as copies of one at this moment."""
    own = distribution(registry)._container
    running = own._client.containers.list(filters={"name": f"^/{own.name}[.]"})
    return tuple(Container(str(one.name), str(one.id), own._url, own._client) for one in running)


def delete_blob(registry: Registry, digest: str) -> None:
    """Delete a blob behind the registry's back."""
    done = distribution(registry)._container.execute(["rm", config.blob_path(digest)])
    assert done.status == 0, done.stderr
