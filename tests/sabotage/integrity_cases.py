"""Broken content: what the suite `integrity` must see through."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from harness import workload
from harness.cluster.containerd_config import CONTENT_FOLDER
from harness.findings import Code
from harness.lab import ability
from harness.registry import distribution_config as config
from harness.registry.protocols import ExposesStorage
from harness.result.model import Status
from harness.scenario import kinds
from tests.sabotage.breaking import (
    as_declared,
    change_registry_config,
    declare,
    distribution,
    node_2,
    restart_registry,
)
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.oci import Blob
    from harness.registry.protocols import Registry
    from harness.workload import Published
    from tests.sabotage.breaking import Document

NODE_2 = frozenset({"node-2"})
PRIMARY = "primary.pullproof.test:5000"
ALL_NODES = frozenset({"node-1", "node-2", "node-3"})
LARGE_LAYER_BYTES = 200_000

REPOSITORIES = f"{config.STORAGE_FOLDER}/docker/registry/v2/repositories"
# $1 is a link to a layer in one repository, $2 matches the links of all that may share it.
UNLINK_WHERE_SHARED = 'link=$1; set -- $2; if [ $# -gt 1 ]; then rm "$link"; fi'

# $1 is a tag's folder, $2 the image that it has just been given.
TAKE_BACK = (
    'cd "$1" && for image in index/sha256/*; do encoded=${image##*/}; '
    '[ "$encoded" = "$2" ] || printf "sha256:%s" "$encoded" >current/link; done'
)


def _changed(blob: Blob) -> bytes:
    """Return as many bytes, of which one differs."""
    return blob.content[:-1] + bytes([blob.content[-1] ^ 0xFF])


def _change_a_layer_in_the_registry(lab: Lab, published: Published) -> None:
    layer = published.image.layers[-1]  # the first one may just be in use by another push
    ability(lab.primary, ExposesStorage).overwrite_blob(layer.digest, _changed(layer))


def _change_a_layer_on_node_2(lab: Lab, published: Published) -> None:
    if layer := _held_by_node_2(lab, published):
        node_2(lab).write_file(_content_file(layer), _changed(layer))


def _lose_a_layer_on_node_2(lab: Lab, published: Published) -> None:
    if layer := _held_by_node_2(lab, published):
        assert node_2(lab).execute(["rm", _content_file(layer)]).status == 0


def _held_by_node_2(lab: Lab, published: Published) -> Blob | None:
    """Let the node hold an image before the check pulls it, and return a layer of it.

    None for images that are too small: checks delete and corrupt them in the registry.
    """
    layer = published.image.layers[-1]
    if layer.size < LARGE_LAYER_BYTES:
        return None
    assert node_2(lab).pull(published.reference, lab.primary.credentials).succeeded
    return layer


def _content_file(blob: Blob) -> str:
    return f"{CONTENT_FOLDER}/{blob.digest.removeprefix('sha256:')}"


def _stale_mirror(lab: Lab) -> Registry:
    """Return a registry that nodes trust and that asks for no account."""
    return lab.find(kinds.mirror_of(lab.find(kinds.mirrored(lab.scenario)).spec))


def _ask_a_stale_mirror_first_on_node_2(lab: Lab) -> None:
    primary, mirror = as_declared(lab.primary), as_declared(_stale_mirror(lab))
    declare(node_2(lab), lab.primary.host, primary, mirror)


def _keep_the_first_image_in_the_mirror(lab: Lab, published: Published) -> None:
    """Do what a cache does that is never refreshed."""
    mirror = _stale_mirror(lab)
    if not mirror.api().manifest_exists(published.repository, workload.TAG):
        workload.publish(mirror, published.image, repository=published.repository)


def _store_elsewhere_after_a_restart(lab: Lab) -> None:
    def move(document: Document) -> None:
        document["storage"]["filesystem"] = {"rootdirectory": "/tmp/elsewhere"}

    change_registry_config(lab.primary, move)


def _unlink_shared_layers(lab: Lab, published: Published) -> None:
    """Lose a layer of a repository that another one holds as well."""
    encoded = published.image.layers[0].digest.removeprefix("sha256:")
    link = f"_layers/sha256/{encoded}/link"
    group = PurePosixPath(published.repository).parent
    own, all_of_group = (
        f"{REPOSITORIES}/{path}/{link}" for path in (published.repository, f"{group}/*")
    )
    _run_in_storage(lab, UNLINK_WHERE_SHARED, own, all_of_group)


def _take_a_moved_tag_back(lab: Lab, published: Published) -> None:
    """Let a tag name the image before the one that was pushed last."""
    tag = f"{REPOSITORIES}/{published.repository}/_manifests/tags/{workload.TAG}"
    _run_in_storage(lab, TAKE_BACK, tag, published.image.digest.removeprefix("sha256:"))


def _run_in_storage(lab: Lab, script: str, *arguments: str) -> None:
    container = distribution(lab.primary)._container
    done = container.execute(["sh", "-c", script, "sh", *arguments])
    assert done.status == 0, done.stderr


def _forbid_deletions(lab: Lab) -> None:
    """Configure what Distribution does unless it is told otherwise."""

    def forbid(document: Document) -> None:
        del document["storage"]["delete"]

    restart_registry(lab.primary, forbid)


CASES = (
    Case(
        name="registry-changes-a-layer",
        suite="integrity",
        sabotage=Sabotage(published=_change_a_layer_in_the_registry),
        turns_red={
            "integrity.every-node-holds-the-pushed-bytes": Code.PULL_FAILED,
            "integrity.registry-serves-the-pushed-bytes": Code.WRONG_BYTES,
            "integrity.digest-names-one-image": Code.PULL_FAILED,
            "integrity.deleted-manifest-is-gone": Code.PULL_FAILED,
            "integrity.content-survives-a-restart": Code.WRONG_BYTES,
            "integrity.concurrent-pushes-of-shared-layers-are-all-whole": Code.WRONG_BYTES,
        },
        subjects=ALL_NODES | {PRIMARY},
    ),
    Case(
        name="node-changes-a-layer-on-its-disk",
        suite="integrity",
        sabotage=Sabotage(published=_change_a_layer_on_node_2),
        turns_red={"integrity.every-node-holds-the-pushed-bytes": Code.WRONG_BYTES},
        subjects=NODE_2,
    ),
    Case(
        name="node-loses-a-layer-on-its-disk",
        suite="integrity",
        sabotage=Sabotage(published=_lose_a_layer_on_node_2),
        turns_red={"integrity.every-node-holds-the-pushed-bytes": Code.LOST_CONTENT},
        subjects=NODE_2,
    ),
    Case(
        name="node-asks-a-stale-mirror-first",
        suite="integrity",
        sabotage=Sabotage(
            lab_started=_ask_a_stale_mirror_first_on_node_2,
            published=_keep_the_first_image_in_the_mirror,
        ),
        turns_red={
            "integrity.digest-names-one-image": Code.WRONG_BYTES,
            "integrity.deleted-manifest-is-gone": Code.PULL_ACCEPTED,
            "integrity.corrupted-blob-is-refused": Code.PULL_ACCEPTED,
        },
        subjects=NODE_2,
    ),
    Case(
        name="registry-stores-elsewhere-after-a-restart",
        suite="integrity",
        sabotage=Sabotage(lab_started=_store_elsewhere_after_a_restart),
        turns_red={"integrity.content-survives-a-restart": Code.LOST_CONTENT},
        subjects=frozenset({PRIMARY}),
    ),
    Case(
        name="registry-loses-shared-layers",
        suite="integrity",
        sabotage=Sabotage(published=_unlink_shared_layers),
        turns_red={"integrity.concurrent-pushes-of-shared-layers-are-all-whole": Code.LOST_CONTENT},
        subjects=frozenset({PRIMARY}),
    ),
    Case(
        name="registry-takes-a-moved-tag-back",
        suite="integrity",
        sabotage=Sabotage(published=_take_a_moved_tag_back),
        turns_red={"integrity.digest-names-one-image": Code.WRONG_BYTES},
        subjects=ALL_NODES,
    ),
    Case(
        name="registry-allows-no-deletions",
        suite="integrity",
        sabotage=Sabotage(lab_started=_forbid_deletions),
        turns_red={},
        subjects=frozenset(),
        leaves_open={"integrity.deleted-manifest-is-gone": Status.NOT_VERIFIED},
        reason="allows no deletions",
    ),
)
