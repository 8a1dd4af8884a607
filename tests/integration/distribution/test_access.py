"""Who may use a registry of CNCF Distribution, and what it tells of those who do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness import oci
from harness.distribution_api import DistributionAPI, UnexpectedStatusError
from harness.errors import HarnessError
from harness.registry.distribution import DistributionRegistryWithAccounts
from harness.registry.protocols import ChangesCredentials
from harness.scenario.model import MIB
from harness.secret import Credentials, new_password
from tests.integration.distribution.stage import SPECS, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from harness.registry.distribution import DistributionRegistry


def test_strangers_are_refused(primary: DistributionRegistry) -> None:
    wrong = Credentials("pullproof", new_password())

    assert DistributionAPI(primary.endpoint).ping().status == 401
    assert primary.api(wrong).ping().status == 401
    assert primary.api().ping().status == 200


def test_rotated_password_is_in_force_at_once(primary: DistributionRegistryWithAccounts) -> None:
    old, new = (Credentials("rotated", new_password()) for _ in range(2))
    for _ in range(5):
        primary.set_password("rotated", old.password)
        assert primary.api(old).ping().status == 200
        primary.set_password("rotated", new.password)
        assert (primary.api(new).ping().status, primary.api(old).ping().status) == (200, 401)
    assert primary.api().ping().status == 200

    primary.remove_account("rotated")

    assert primary.api(new).ping().status == 401


def test_accounts_are_set_by_many_at_once(primary: DistributionRegistryWithAccounts) -> None:
    accounts = [Credentials(f"user-{n}", new_password()) for n in range(6)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: primary.set_password(each.username, each.password), accounts))

    assert {primary.api(each).ping().status for each in accounts} == {200}
    for each in accounts:
        primary.remove_account(each.username)


def test_account_of_the_lab_itself_is_not_changed(
    primary: DistributionRegistryWithAccounts,
) -> None:
    with pytest.raises(HarnessError, match="lab's own"):
        primary.set_password("pullproof", new_password())
    with pytest.raises(HarnessError, match="lab's own"):
        primary.remove_account("pullproof")


def test_registry_without_accounts_cannot_change_them(
    registries: dict[str, DistributionRegistry],
) -> None:
    assert not isinstance(registries["plain-http"], ChangesCredentials)
    assert registries["plain-http"].credentials is None


def test_access_log_tells_all_of_each_request(
    primary: DistributionRegistryWithAccounts, repository: str
) -> None:
    image = oci.image(layer_bytes=MIB)
    (layer,) = image.layers
    primary.api().push(image, repository, "v1")
    other = Credentials("reader", new_password())
    primary.set_password("reader", other.password)
    mark = primary.mark()

    primary.api().manifest_exists(repository, "v1")
    primary.api(other).manifest(repository, "v1")
    primary.api().blob(repository, layer.digest)
    primary.api().blob_exists(repository, layer.digest)
    with pytest.raises(UnexpectedStatusError):
        primary.api().manifest(repository, "absent")
    with pytest.raises(UnexpectedStatusError):
        primary.api(Credentials("reader", new_password())).manifest(repository, "v1")
    with pytest.raises(UnexpectedStatusError):
        DistributionAPI(primary.endpoint).blob(repository, layer.digest)
    found = primary.requests_since(mark)

    manifests, blobs = f"/v2/{repository}/manifests", f"/v2/{repository}/blobs"
    sizes = {
        (each.method, each.path, each.status, each.user): each.response_bytes for each in found
    }
    assert len(found) == len(sizes)
    # As a set: a large answer has left before its line is written, and the next may overtake it.
    assert set(sizes) == {
        ("HEAD", f"{manifests}/v1", 200, "pullproof"),
        ("GET", f"{manifests}/v1", 200, "reader"),
        ("GET", f"{blobs}/{layer.digest}", 200, "pullproof"),
        ("HEAD", f"{blobs}/{layer.digest}", 200, "pullproof"),
        ("GET", f"{manifests}/absent", 404, "pullproof"),
        ("GET", f"{manifests}/v1", 401, ""),
        ("GET", f"{blobs}/{layer.digest}", 401, ""),
    }
    assert sizes["GET", f"{manifests}/v1", 200, "reader"] == image.manifest.size
    assert sizes["GET", f"{blobs}/{layer.digest}", 200, "pullproof"] == layer.size
    assert {each.user_agent for each in found} == {"pullproof"}
    assert len({each.client for each in found}) == 1
    primary.remove_account("reader")


@pytest.mark.parametrize("name", [spec.name for spec in SPECS])
def test_access_log_misses_no_request_and_counts_none_twice(
    registries: dict[str, DistributionRegistry], repository: str, name: str
) -> None:
    registry = registries[name]
    image = oci.image(layer_bytes=MIB)
    (layer,) = image.layers
    registry.api().push(image, repository, "v1")
    api = registry.api()
    for _ in range(5):
        mark = registry.mark()
        api.blob(repository, layer.digest)
        found = registry.requests_since(mark)

        assert [(each.method, each.response_bytes) for each in found] == [("GET", layer.size)]


def test_secrets_are_in_no_representation_and_no_log(
    stage: Stage,
    registries: dict[str, DistributionRegistry],
    primary: DistributionRegistry,
    tmp_path: Path,
) -> None:
    assert primary.credentials is not None
    password = primary.credentials.password.reveal()
    primary.collect_logs(tmp_path)
    log = (tmp_path / "primary.log").read_text()
    container = stage.engine.client.containers.get(primary.handle.container)

    assert "GET /v2/" in log
    assert password not in log
    assert password not in str(container.attrs)
    assert password not in repr(primary.handle)
    mutual = registries["client-certificate"].handle
    assert mutual.client_certificate is not None
    assert "PRIVATE KEY" not in repr(mutual)
