from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import bcrypt
import pytest

from harness.registry.accounts import Accounts
from harness.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "htpasswd", tmp_path / "lock")


def hashes(accounts: Accounts) -> dict[str, bytes]:
    lines = accounts.file.read_text().splitlines()
    return {name: hashed.encode() for name, hashed in (line.split(":", 1) for line in lines)}


def test_password_is_kept_as_bcrypt(accounts: Accounts) -> None:
    accounts.set_password("alice", Secret("canary"))

    assert bcrypt.checkpw(b"canary", hashes(accounts)["alice"])
    assert "canary" not in accounts.file.read_text()


def test_password_is_replaced_and_others_stay(accounts: Accounts) -> None:
    for name, password in (("alice", "old"), ("bob", "his"), ("alice", "new")):
        accounts.set_password(name, Secret(password))

    assert hashes(accounts).keys() == {"alice", "bob"}
    assert bcrypt.checkpw(b"new", hashes(accounts)["alice"])
    assert bcrypt.checkpw(b"his", hashes(accounts)["bob"])


def test_account_is_removed_once_or_twice(accounts: Accounts) -> None:
    accounts.set_password("alice", Secret("a"))
    accounts.set_password("bob", Secret("b"))

    accounts.remove("alice")
    accounts.remove("alice")

    assert hashes(accounts).keys() == {"bob"}


def test_file_is_for_its_owner_only(accounts: Accounts) -> None:
    accounts.set_password("alice", Secret("a"))

    assert accounts.file.stat().st_mode & 0o777 == 0o600


def test_each_change_has_a_time_of_its_own(accounts: Accounts) -> None:
    accounts.set_password("alice", Secret("a"))
    future_ns = accounts.file.stat().st_mtime_ns + 10**12
    os.utime(accounts.file, ns=(future_ns, future_ns))  # as if the clock had been set back

    accounts.set_password("alice", Secret("b"))

    assert accounts.file.stat().st_mtime_ns > future_ns


def test_changes_at_once_lose_no_account(accounts: Accounts) -> None:
    names = [f"user-{number}" for number in range(20)]

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda name: accounts.set_password(name, Secret(name)), names))

    assert hashes(accounts).keys() == set(names)
