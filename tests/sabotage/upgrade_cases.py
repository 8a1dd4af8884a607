"""Broken upgrades: what the suite `upgrade` must see through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness import oci
from harness.findings import Code
from harness.machine import CHECKOUT
from harness.registry import distribution_config as config
from tests.sabotage.breaking import (
    change_registry_config,
    distribution,
    restart_registry,
)
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published
    from tests.sabotage.breaking import Document

SCENARIO = CHECKOUT / "tests/sabotage/upgrade.yaml"
PRIMARY = "primary.pullproof.test:5000"

REPOSITORIES = f"{config.STORAGE_FOLDER}/docker/registry/v2/repositories"
BLOBS = f"{config.STORAGE_FOLDER}/docker/registry/v2/blobs/sha256"


# $1 holds blobs: what is neither a manifest nor a configuration is large.
REMOVE_LARGE = (
    'for blob in "$1"/*/*/data; do [ $(stat -c %s "$blob") -lt 32768 ] || rm "$blob"; done'
)


def _in_storage(registry: Registry, script: str, *arguments: str) -> None:
    container = distribution(registry)._container
    done = container.execute(["sh", "-euc", script, "sh", *arguments])
    assert done.status == 0, done.stderr


def _lose_a_tag(_: Lab, registry: Registry) -> None:
    if not _is_back(registry):
        _in_storage(registry, 'rm -rf "$1"/*/*/_manifests/tags/another-tag', REPOSITORIES)


def _lose_layers(_: Lab, registry: Registry) -> None:
    if not _is_back(registry):
        _in_storage(registry, REMOVE_LARGE, BLOBS)


def _lose_layers_on_the_way_back(_: Lab, registry: Registry) -> None:
    if _is_back(registry):
        _in_storage(registry, REMOVE_LARGE, BLOBS)


def _is_back(registry: Registry) -> bool:
    """Whether a registry is the old version in the place of the new one."""
    return distribution(registry).handle.container.endswith("-2.8")


def _forget_accounts(_: Lab, registry: Registry) -> None:
    if _is_back(registry):
        return

    def forget(document: Document) -> None:
        del document["auth"]

    restart_registry(registry, forget)


def _refuse_pushes(_: Lab, registry: Registry) -> None:
    def refuse(document: Document) -> None:
        document["storage"]["maintenance"] = {"readonly": {"enabled": True}}

    restart_registry(registry, refuse)


def _cache_in_redis(lab: Lab) -> None:
    """Configure a cache as 2.8 has it: with no redis there it serves nevertheless."""

    def cache(document: Document) -> None:
        document["storage"]["cache"] = {"blobdescriptor": "redis"}
        document["redis"] = {"addr": "127.0.0.1:6379"}

    restart_registry(lab.primary, cache)


def _report_errors_elsewhere(lab: Lab) -> None:
    def report(document: Document) -> None:
        document["reporting"] = {"bugsnag": {"releasestage": "production"}}

    change_registry_config(lab.primary, report)


def _accept_schema_1(lab: Lab) -> None:
    def accept(document: Document) -> None:
        document["compatibility"] = {"schema1": {"enabled": True}}

    restart_registry(lab.primary, accept)


def _keep_a_manifest_of_schema_1(lab: Lab, published: Published) -> None:
    """Put into the storage what a client of long ago has pushed, unless 3 is running."""
    container = distribution(lab.primary)._container
    if container.status != "running":
        return
    manifest = _schema_1_manifest(published.repository)
    hexadecimal = oci.sha256_digest(manifest).removeprefix("sha256:")
    container.put_file(config.blob_path(f"sha256:{hexadecimal}"), manifest)
    manifests = f"{REPOSITORIES}/{published.repository}/_manifests"
    for link in (
        f"revisions/sha256/{hexadecimal}/link",
        f"tags/long-ago/index/sha256/{hexadecimal}/link",
        "tags/long-ago/current/link",
    ):
        container.put_file(f"{manifests}/{link}", f"sha256:{hexadecimal}".encode())


def _schema_1_manifest(name: str) -> bytes:
    """Return a manifest of schema 1 as 2.8 stores it; it signs it anew each time it serves it.

    Format: `docs/spec/manifest-v2-1.md` of Distribution 2.8.
    """
    document = {"schemaVersion": 1, "name": name, "tag": "long-ago", "fsLayers": [], "history": []}
    return json.dumps(document, indent=3).encode()


CONTENT = "upgrade.content-survives-the-upgrade"
BACK = "upgrade.upgrade-can-be-taken-back"
ACCESS = "upgrade.access-survives-the-upgrade"
OPTIONS = "upgrade.new-version-knows-every-option"


def _case(name: str, sabotage: Sabotage, turns_red: dict[str, Code], *subjects: str) -> Case:
    return Case(
        name=name,
        suite="upgrade",
        sabotage=sabotage,
        turns_red=turns_red,
        subjects=frozenset(subjects),
        scenario=SCENARIO,
    )


CASES = (
    _case(
        "upgrade-loses-a-tag",
        Sabotage(version_started=_lose_a_tag),
        {CONTENT: Code.LOST_CONTENT},
        PRIMARY,
    ),
    _case(
        "upgrade-loses-layers",
        Sabotage(version_started=_lose_layers),
        {
            CONTENT: Code.LOST_CONTENT,
            ACCESS: Code.PULL_FAILED,
        },
        PRIMARY,
        "node-1",
    ),
    _case(
        "way-back-loses-layers",
        Sabotage(version_started=_lose_layers_on_the_way_back),
        {BACK: Code.LOST_CONTENT},
        PRIMARY,
    ),
    _case(
        "upgrade-forgets-accounts",
        Sabotage(version_started=_forget_accounts),
        {ACCESS: Code.CONFIGURATION},
        PRIMARY,
        "node-1",
    ),
    _case(
        "upgrade-takes-no-pushes",
        Sabotage(version_started=_refuse_pushes),
        {ACCESS: Code.PUSH_FAILED, BACK: Code.PUSH_FAILED},
        PRIMARY,
    ),
    _case(
        "new-version-does-not-start-with-its-cache",
        Sabotage(lab_started=_cache_in_redis),
        dict.fromkeys((CONTENT, BACK, ACCESS, OPTIONS), Code.CONFIGURATION),
        PRIMARY,
    ),
    _case(
        "new-version-reports-errors-to-nobody",
        Sabotage(lab_started=_report_errors_elsewhere),
        {OPTIONS: Code.CONFIGURATION},
        PRIMARY,
    ),
    _case(
        "new-version-knows-no-schema-1",
        Sabotage(lab_started=_accept_schema_1, published=_keep_a_manifest_of_schema_1),
        {CONTENT: Code.LOST_CONTENT, OPTIONS: Code.CONFIGURATION},
        PRIMARY,
    ),
)
