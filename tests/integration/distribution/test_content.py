"""A registry of CNCF Distribution: its content and storage, what it uses, how it comes and goes."""

from __future__ import annotations

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness import oci
from harness.distribution_api import UnexpectedStatusError
from harness.errors import EngineError, RegistryError
from harness.registry.distribution import DistributionRegistryWithAccounts, attach
from harness.registry.protocols import (
    ChangesCredentials,
    ExposesStorage,
    HasUndeclaredName,
    KeepsAccessLog,
    PresentsCertificate,
    Registry,
    ReportsUsage,
    RequiresClientCertificate,
    Restarts,
)
from harness.scenario.model import MIB, AuthSpec, RegistrySpec, TLSSpec
from harness.wait import wait_until
from tests.integration.distribution.stage import Stage

if TYPE_CHECKING:
    from harness.registry.distribution import DistributionRegistry


def test_pushed_image_is_read_back_byte_for_byte(
    primary: DistributionRegistry, repository: str
) -> None:
    image = oci.image(layers=3, layer_bytes=MIB)
    api = primary.api()

    reference = api.push(image, repository, "v1")

    assert reference == f"primary.pullproof.test:5000/{repository}@{image.digest}"
    manifest = api.manifest(repository, "v1")
    assert manifest.content == image.manifest.content
    assert manifest.media_type == image.manifest.media_type
    assert manifest.digest == manifest.claimed_digest == image.digest
    for blob in (*image.layers, image.config):
        read = api.blob(repository, blob.digest)
        assert (read.digest, read.size) == (blob.digest, blob.size)
    assert api.tags(repository) == ("v1",)
    assert repository in api.catalog()


def test_index_is_stored_with_its_images(primary: DistributionRegistry, repository: str) -> None:
    index = oci.index([oci.image(), oci.image()])
    api = primary.api()

    api.push(index, repository, "v1")

    assert api.manifest(repository, "v1").digest == index.digest
    assert all(api.manifest_exists(repository, image.digest) for image in index.images)


def test_blob_arrives_in_chunks(primary: DistributionRegistry, repository: str) -> None:
    (layer,) = oci.image(layer_bytes=3 * MIB).layers

    primary.api().push_blob(repository, layer, chunk_bytes=MIB)

    assert primary.api().blob(repository, layer.digest).digest == layer.digest


def test_images_are_pushed_from_many_threads(
    primary: DistributionRegistry, repository: str
) -> None:
    base = oci.image(layer_bytes=MIB)
    images = [oci.with_shared_layers(base) for _ in range(8)]
    api = primary.api()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: api.push(images[n], repository, f"v{n}"), range(8)))

    assert len(api.tags(repository)) == 8
    assert [api.manifest(repository, f"v{n}").digest for n in range(8)] == [
        image.digest for image in images
    ]


@pytest.mark.parametrize(
    ("name", "scheme"), [("primary", "https"), ("plain-http", "http"), ("expired", "https")]
)
def test_upload_location_has_scheme_and_host_of_the_registry(
    registries: dict[str, DistributionRegistry], repository: str, name: str, scheme: str
) -> None:
    registry = registries[name]
    location = urlsplit(registry.api().start_upload(repository).location)

    assert (location.scheme, location.netloc) == (scheme, registry.host)


def test_deleted_manifest_is_gone(primary: DistributionRegistry, repository: str) -> None:
    image = oci.image()
    api = primary.api()
    api.push(image, repository, "v1")

    api.delete_manifest(repository, image.digest)

    assert not api.manifest_exists(repository, "v1")
    with pytest.raises(UnexpectedStatusError) as caught:
        api.manifest(repository, image.digest)
    assert (caught.value.status, caught.value.code) == (404, "MANIFEST_UNKNOWN")
    assert api.tags(repository) == ()


def test_registry_has_the_abilities_that_the_lab_asks_for(primary: DistributionRegistry) -> None:
    for ability in (
        *(Registry, KeepsAccessLog, HasUndeclaredName, ChangesCredentials),
        *(Restarts, ReportsUsage, ExposesStorage, PresentsCertificate, RequiresClientCertificate),
    ):
        assert isinstance(primary, ability)


def test_restart_keeps_content_and_accounts(
    primary: DistributionRegistryWithAccounts, repository: str
) -> None:
    image = oci.image(layer_bytes=MIB)
    primary.api().push(image, repository, "v1")

    primary.restart()

    assert primary.api().manifest(repository, "v1").digest == image.digest
    read = primary.api().blob(repository, image.layers[0].digest)
    assert read.digest == image.layers[0].digest


def test_overwritten_storage_is_what_readers_get(
    primary: DistributionRegistry, repository: str
) -> None:
    image = oci.image(layer_bytes=1000)
    (layer,) = image.layers
    primary.api().push(image, repository, "v1")
    assert primary.read_blob(layer.digest) == layer.content
    changed = bytes(layer.size)

    primary.overwrite_blob(layer.digest, changed)

    assert primary.read_blob(layer.digest) == changed
    assert primary.api().blob(repository, layer.digest).digest == oci.sha256_digest(changed)


def test_storage_has_no_blob_that_nobody_pushed(primary: DistributionRegistry) -> None:
    assert primary.read_blob(oci.sha256_digest(os.urandom(8))) is None


def test_usage_is_that_of_a_running_registry(
    primary: DistributionRegistry, repository: str
) -> None:
    before = primary.cpu_seconds()
    primary.api().push(oci.image(layer_bytes=MIB), repository, "v1")

    assert 2 * MIB < primary.memory_bytes() < 500 * MIB
    assert before < primary.cpu_seconds() < before + 60


def test_connections_are_open_files(primary: DistributionRegistry, repository: str) -> None:
    layer = oci.image(layer_bytes=32 * MIB).layers[0]
    api = primary.api()
    api.push_blob(repository, layer)
    with api.reading(repository, layer.digest):
        reading = primary.open_files()

    # The connection and the blob's file are closed once the registry sees that we are gone.
    wait_until(
        primary.open_files,
        ready=lambda count: count <= reading - 2,
        timeout_seconds=30,
        what=f"fewer than {reading - 1} files to be open",
    )


def test_metrics_count_requests(primary: DistributionRegistry, repository: str) -> None:
    def manifest_requests() -> int:
        lines = primary.metrics().splitlines()
        counts = (
            line.rpartition(" ")[2]
            for line in lines
            if line.startswith("registry_http_requests_total") and 'handler="manifest"' in line
        )
        return sum(int(float(count)) for count in counts)

    before = manifest_requests()

    primary.api().manifest_exists(repository, "v1")

    assert manifest_requests() == before + 1


def test_another_process_uses_the_registry_by_its_handle(
    stage: Stage, primary: DistributionRegistry, repository: str
) -> None:
    attached = attach(primary.handle, stage.engine)

    attached.api().push(oci.image(), repository, "v1")

    assert primary.api().tags(repository) == ("v1",)
    assert isinstance(attached, ChangesCredentials)


def test_handle_of_a_gone_registry_is_refused(stage: Stage, primary: DistributionRegistry) -> None:
    with pytest.raises(EngineError, match="never-started is gone"):
        attach(dataclasses.replace(primary.handle, container="never-started"), stage.engine)


def test_registry_leaves_nothing(stage: Stage) -> None:
    spec = RegistrySpec(name="short-lived", tls=TLSSpec(), auth=AuthSpec())

    with stage.start(spec) as registry:
        registry.api().push(oci.image(), "a", "v1")
        assert len(stage.leftovers(spec)) == 3  # container, volume, folder

    assert stage.leftovers(spec) == ()


def test_registry_that_cannot_be_started_leaves_nothing(stage: Stage) -> None:
    spec = RegistrySpec(name="unstartable", auth=AuthSpec())
    nowhere = dataclasses.replace(stage, network=f"{stage.network}-absent")

    with pytest.raises(EngineError), nowhere.start(spec):
        pytest.fail("started")

    assert nowhere.leftovers(spec) == ()


def test_registry_that_does_not_answer_shows_its_log(stage: Stage) -> None:
    with stage.start(RegistrySpec(name="silent")) as registry:
        configuration = registry.handle.folder / "etc" / "config.yml"
        configuration.write_text(configuration.read_text().replace(":5000", ":5999"))
        container = stage.engine.container(registry.handle.container)
        assert container is not None
        container.restart()
        wait_until(
            lambda: b":5999" in registry._log(), timeout_seconds=30, what="it to listen elsewhere"
        )

        with pytest.raises(RegistryError, match=r"(?s)silent.*not healthy.*listening on .*:5999"):
            registry.wait_until_healthy(timeout_seconds=0.5)


def test_registry_that_ends_is_not_waited_for(stage: Stage) -> None:
    with stage.start(RegistrySpec(name="ending")) as registry:
        (registry.handle.folder / "etc" / "config.yml").write_text("nonsense")

        with pytest.raises(RegistryError, match=r"(?s)ending.*configuration error"):
            registry.restart()
