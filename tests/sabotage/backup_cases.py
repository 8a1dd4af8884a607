"""Backups that lack something: what the suite `backup` must see through.

What a copy of a folder lacks is what only a link in it leads to.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.machine import CHECKOUT
from harness.registry import distribution_config as config
from tests.sabotage.breaking import configuration_folder, distribution, restart_registry
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.workload import Published
    from tests.sabotage.breaking import Document

SCENARIO = CHECKOUT / "tests/sabotage/backup.yaml"
PRIMARY = frozenset({"primary.pullproof.test:5000"})
SAME = "backup.restored-registry-is-the-same-to-the-same-people"
MEANWHILE = "backup.copy-made-during-pushes-holds-all-that-was-acknowledged"
ELSEWHERE = PurePosixPath("/tmp/elsewhere")
# $1 is a path, $2 where it goes.
MOVE = 'mkdir -p "${2%/*}" && mv "$1" "$2" && ln -s "$2" "$1"'
REPOSITORIES = f"{config.STORAGE_FOLDER}/docker/registry/v2/repositories"


def _store_a_layer_elsewhere(lab: Lab, published: Published) -> None:
    _move_away(lab, config.blob_path(published.image.layers[-1].digest))


def _store_a_tag_elsewhere(lab: Lab, published: Published) -> None:
    _move_away(lab, f"{REPOSITORIES}/{published.repository}/_manifests/tags/{published.tag}")


def _move_away(lab: Lab, path: str) -> None:
    """Have the registry find a part of its storage through a link only."""
    target = str(ELSEWHERE / path.lstrip("/"))
    done = distribution(lab.primary)._container.execute(["sh", "-c", MOVE, "sh", path, target])
    assert done.status == 0, done.stderr


def _keep_accounts_elsewhere(lab: Lab) -> None:
    accounts = _put_elsewhere(lab, config.ACCOUNTS_FILE)

    def point_there(document: Document) -> None:
        document["auth"]["htpasswd"] = {"realm": "pullproof", "path": accounts}

    restart_registry(lab.primary, point_there)


def _keep_the_key_elsewhere(lab: Lab) -> None:
    key = _put_elsewhere(lab, config.KEY_FILE)

    def point_there(document: Document) -> None:
        tls = document["http"]["tls"]
        assert isinstance(tls, dict)
        document["http"]["tls"] = {**tls, "key": key}

    restart_registry(lab.primary, point_there)


def _put_elsewhere(lab: Lab, name: str) -> str:
    """Put a file of the configuration where no copy of its folder reaches it; return its path."""
    path = str(ELSEWHERE / name)
    content = (configuration_folder(lab.primary) / name).read_bytes()
    distribution(lab.primary)._container.put_file(path, content, mode=0o600)
    return path


CASES = (
    Case(
        name="backup-lacks-a-blob",
        suite="backup",
        sabotage=Sabotage(published=_store_a_layer_elsewhere),
        turns_red=dict.fromkeys((SAME, MEANWHILE), Code.LOST_CONTENT),
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="backup-lacks-a-tag",
        suite="backup",
        sabotage=Sabotage(published=_store_a_tag_elsewhere),
        turns_red=dict.fromkeys((SAME, MEANWHILE), Code.LOST_CONTENT),
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="backup-lacks-the-accounts",
        suite="backup",
        sabotage=Sabotage(lab_started=_keep_accounts_elsewhere),
        turns_red={SAME: Code.ACCESS, MEANWHILE: Code.LOST_CONTENT},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="backup-lacks-the-key",
        suite="backup",
        sabotage=Sabotage(lab_started=_keep_the_key_elsewhere),
        turns_red=dict.fromkeys((SAME, MEANWHILE), Code.CONFIGURATION),
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
)
