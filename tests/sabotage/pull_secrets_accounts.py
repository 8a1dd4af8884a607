"""Registries that take credentials which they must refuse, or refuse those that they must take."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.lab import ability, credentials_of
from harness.registry import distribution_config as config
from harness.registry.distribution import accounts_of
from harness.registry.protocols import ChangesCredentials
from harness.scenario import kinds
from tests.sabotage.breaking import configuration_folder, distribution, restart_registry
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published
    from tests.sabotage.breaking import Document

ALL_NODES = frozenset({"node-1", "node-2", "node-3"})
REFUSALS = (
    "absent-credentials-are-refused",
    "wrong-password-is-refused",
    "unknown-account-is-refused",
    "credentials-of-another-registry-are-refused",
    "rotated-password-replaces-the-old-one",
    "revoked-account-is-refused",
    "cached-image-does-not-mask-a-wrong-password",
    "mismatched-keys-are-refused",
)

Entries = dict[str, str]


def _serve_everybody(registry: Registry) -> None:
    def forget_accounts(document: Document) -> None:
        del document["auth"]

    restart_registry(registry, forget_accounts)


def _make_an_account_for_nobody(lab: Lab) -> None:
    accounts = ability(lab.primary, ChangesCredentials)
    accounts.set_password("nobody", credentials_of(lab.primary).password)


def _share_a_password(lab: Lab) -> None:
    """Give the primary's account the password that it has at another registry."""
    registry, other = map(distribution, lab.find_two(kinds.WITH_ACCOUNTS))
    credentials = credentials_of(other)
    accounts_of(registry.handle.folder).set_password(credentials.username, credentials.password)
    registry.handle = replace(registry.handle, credentials=credentials)


@dataclass(frozen=True)
class _Copy:
    """A registry reads a copy of its accounts, which `follow` brings up to date in its own way.

    `follow` takes the copy's entries and those in force, and returns the new ones.
    """

    follow: Callable[[Entries, Entries], Entries]

    def begin(self, lab: Lab) -> None:
        self.update(lab)

        def read_the_copy(document: Document) -> None:
            folder = config.configuration_folder(lab.primary.spec)
            document["auth"]["htpasswd"] = {"realm": "copy", "path": f"{folder}/copy"}

        restart_registry(lab.primary, read_the_copy)

    def update(self, lab: Lab, _: Published | None = None) -> None:
        folder = configuration_folder(lab.primary)
        copy = folder / "copy"
        entries = self.follow(_entries(copy), _entries(folder / config.ACCOUNTS_FILE))
        draft = folder / "copy.draft"
        draft.write_text("".join(f"{name}:{hash_}\n" for name, hash_ in entries.items()))
        now_ns = time.time_ns()  # the registry reads it again when its time differs
        os.utime(draft, ns=(now_ns, now_ns))
        draft.replace(copy)


def _entries(file: Path) -> Entries:
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split(":", 1) for line in lines)


NEVER_REMOVING = _Copy(lambda known, current: {**known, **current})
NEVER_CHANGING = _Copy(
    lambda known, current: {name: known.get(name, hash_) for name, hash_ in current.items()}
)

CASES = (
    Case(
        name="registry-serves-everybody",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=lambda lab: _serve_everybody(lab.primary)),
        turns_red={
            "pull_secrets.right-credentials-pull": Code.WRONG_PATH,
            **{f"pull_secrets.{check}": Code.PULL_ACCEPTED for check in REFUSALS},
        },
        subjects=ALL_NODES,
    ),
    Case(
        name="mirror-serves-everybody",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=lambda lab: _serve_everybody(lab.privately_mirrored()[1])),
        turns_red={"pull_secrets.private-mirror-refuses-the-origins-credentials": Code.WRONG_PATH},
        subjects=ALL_NODES,
    ),
    Case(
        name="registry-has-an-account-for-nobody",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_make_an_account_for_nobody),
        turns_red={"pull_secrets.unknown-account-is-refused": Code.PULL_ACCEPTED},
        subjects=ALL_NODES,
    ),
    Case(
        name="registries-share-a-password",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_share_a_password),
        turns_red={"pull_secrets.credentials-of-another-registry-are-refused": Code.PULL_ACCEPTED},
        subjects=ALL_NODES,
    ),
    Case(
        name="registry-never-forgets-an-account",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=NEVER_REMOVING.begin, published=NEVER_REMOVING.update),
        turns_red={"pull_secrets.revoked-account-is-refused": Code.PULL_ACCEPTED},
        subjects=ALL_NODES,
    ),
    Case(
        name="registry-never-learns-a-new-password",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=NEVER_CHANGING.begin, published=NEVER_CHANGING.update),
        turns_red={"pull_secrets.rotated-password-replaces-the-old-one": Code.PULL_FAILED},
        subjects=ALL_NODES,
    ),
)
