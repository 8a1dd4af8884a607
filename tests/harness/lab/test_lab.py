from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from harness.cluster.protocols import RuntimeAccess
from harness.errors import RegistryError
from harness.findings import NotVerified
from harness.lab import ability, credentials_of
from harness.registry.protocols import ChangesCredentials
from harness.scenario import kinds
from harness.scenario.model import AuthSpec, RegistrySpec
from tests.harness.checks.parts import NODES
from tests.harness.lab.parts import lab

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.registry.protocols import RunsVersions

OPEN = RegistrySpec(name="open")
PRIVATE = RegistrySpec(name="private", auth=AuthSpec())
FURTHER = RegistrySpec(name="further", auth=AuthSpec())
FIRST_MIRROR = RegistrySpec(name="first", mirror_of="open")
SECOND_MIRROR = RegistrySpec(name="second", auth=AuthSpec(), mirror_of="open")


def test_ability_is_given_where_it_is_offered() -> None:
    registry: object = lab(PRIVATE).primary

    assert ability(registry, ChangesCredentials) is registry


def test_missing_ability_leaves_the_check_unverified() -> None:
    with pytest.raises(NotVerified, match="DistributionRegistry does not offer Changes"):
        ability(lab(OPEN).primary, ChangesCredentials)
    with pytest.raises(NotVerified, match="StillNode does not offer RuntimeAccess"):
        ability(NODES[0], RuntimeAccess)


def test_lab_offers_its_nodes_and_its_first_registry() -> None:
    some = lab(OPEN, PRIVATE)

    assert some.nodes == NODES
    assert some.primary.spec == OPEN
    assert some.lock_file == Path("nowhere/lab.lock")


def test_passwords_differ_and_all_begin_with_the_runs_secret() -> None:
    some = lab(OPEN)
    passwords = {some.new_password().reveal() for _ in range(3)}

    assert len(passwords) == 3
    assert all(password.startswith("begins-every-password") for password in passwords)


def test_registry_is_found_by_its_kind() -> None:
    assert lab(OPEN, PRIVATE).find(kinds.WITH_ACCOUNTS).spec == PRIVATE


def test_kind_that_the_scenario_lacks_is_named() -> None:
    with pytest.raises(NotVerified, match="no registry with accounts"):
        lab(OPEN).find(kinds.WITH_ACCOUNTS)


def test_two_registries_of_a_kind_are_found_in_the_order_of_the_file() -> None:
    first, second = lab(OPEN, PRIVATE, FURTHER).find_two(kinds.WITH_ACCOUNTS)

    assert (first.spec, second.spec) == (PRIVATE, FURTHER)


def test_one_registry_is_not_two() -> None:
    with pytest.raises(NotVerified, match="only one registry with accounts"):
        lab(OPEN, PRIVATE).find_two(kinds.WITH_ACCOUNTS)


def test_origin_comes_with_its_mirrors() -> None:
    registries = lab(OPEN, FIRST_MIRROR, SECOND_MIRROR).mirrored()

    assert [registry.spec for registry in registries] == [OPEN, FIRST_MIRROR, SECOND_MIRROR]


def test_one_mirror_has_no_order() -> None:
    with pytest.raises(NotVerified, match="only one registry that mirrors open"):
        lab(OPEN, FIRST_MIRROR).mirrored()


def test_origin_comes_with_its_private_mirror() -> None:
    origin, mirror = lab(OPEN, FIRST_MIRROR, SECOND_MIRROR).privately_mirrored()

    assert (origin.spec, mirror.spec) == (OPEN, SECOND_MIRROR)


def test_credentials_of_an_open_registry_are_an_error() -> None:
    assert credentials_of(lab(PRIVATE).primary).username == "user"
    with pytest.raises(RegistryError, match="has no accounts"):
        credentials_of(lab(OPEN).primary)


def with_versions(*specs: RegistrySpec) -> Lab:
    """Return a lab that could run other versions, were there an engine."""
    return replace(lab(*specs), versions=cast("RunsVersions", object()))


def test_registry_is_found_with_the_version_to_which_it_is_upgraded() -> None:
    upgraded = RegistrySpec(name="upgraded", auth=AuthSpec(), upgrade_to="3")

    registry, version = with_versions(OPEN, PRIVATE, upgraded).to_be_upgraded()

    assert (registry.spec, version) == (upgraded, "3")


def test_upgrade_without_accounts_proves_too_little() -> None:
    with pytest.raises(NotVerified, match="no registry with accounts that is to be upgraded"):
        with_versions(PRIVATE, RegistrySpec(name="upgraded", upgrade_to="3")).to_be_upgraded()


def test_lab_without_other_versions_leaves_upgrades_unverified() -> None:
    with pytest.raises(NotVerified, match="no other version runs") as stopped:
        lab(OPEN).to_be_upgraded()

    assert stopped.value.lacking == "RunsVersions"


def test_lab_without_programs_leaves_checks_that_run_them_unverified() -> None:
    with pytest.raises(NotVerified, match="no programs run") as stopped:
        lab(OPEN).client_tools()

    assert stopped.value.lacking == "ClientTools"


def test_lab_without_copies_leaves_checks_of_them_unverified() -> None:
    with pytest.raises(NotVerified, match="no replication") as stopped:
        lab(OPEN).replications()

    assert stopped.value.lacking == "Replicates"
