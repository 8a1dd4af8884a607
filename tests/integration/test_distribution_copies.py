from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness import oci, workload
from harness.distribution_api import UnexpectedStatusError
from harness.engine import open_engine
from harness.errors import RegistryError
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide
from harness.lifecycle.journal import journal_in
from harness.registry import distribution_config as config
from harness.registry.distribution_start import distribution_registry
from harness.registry.protocols import BacksUp, CollectsGarbage, HasTwin, ListsStorage
from harness.scenario.model import AuthSpec, RegistrySpec, TLSSpec
from harness.trust import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry

SPEC = RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec())
LABEL = "pullproof.test"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as opened:
        yield opened


@pytest.fixture(scope="module")
def registry(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DistributionRegistry]:
    home = Home.locate(os.environ)
    image = provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print)
    name = f"test-{uuid4().hex[:8]}"
    network = engine.create_network(name, {LABEL: name})
    try:
        with distribution_registry(
            SPEC,
            engine=engine,
            image_id=image.id,
            network=network.name,
            labels={LABEL: name},
            name=name,
            folder=tmp_path_factory.mktemp("run") / SPEC.name,
            authorities={"private-ca": Authority.create("private-ca")},
        ) as started:
            yield started
    finally:
        network.remove()


@contextmanager
def leaving_nothing(registry: DistributionRegistry, engine: Engine) -> Iterator[None]:
    """Fail where the block leaves containers, volumes or files behind."""

    def seen() -> tuple[tuple[str, ...], list[Path]]:
        return (
            engine.labelled(LABEL, registry.handle.container),
            sorted(registry.handle.folder.parent.glob(f"{SPEC.name}*")),
        )

    before = seen()
    yield
    assert seen() == before


def refusal_of_a_push(registry: DistributionRegistry) -> int:
    with pytest.raises(UnexpectedStatusError) as refused:
        registry.api().start_upload("copies/refused")
    return refused.value.status


def test_registry_offers_what_its_files_allow(registry: DistributionRegistry) -> None:
    assert isinstance(registry, CollectsGarbage)
    assert isinstance(registry, ListsStorage)
    assert isinstance(registry, HasTwin)
    assert isinstance(registry, BacksUp)


def test_writes_are_stopped_for_the_block_alone_however_it_ends(
    registry: DistributionRegistry,
) -> None:
    image = workload.publish(registry, oci.image(), repository="copies/stopped")

    def interrupted() -> None:
        with registry.writes_stopped():
            assert refusal_of_a_push(registry) == 405
            assert workload.unserved(registry, image) == ()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert registry.api().start_upload("copies/stopped").location


def test_storage_tells_blobs_manifests_and_unfinished_uploads(
    registry: DistributionRegistry,
) -> None:
    image = workload.publish(registry, oci.image(), repository="copies/stored")
    location = registry.api().start_upload("copies/stored").location
    registry.api().send_chunk(location, b"1234", 0)
    storage = registry.stored()

    assert {digest: storage.blobs[digest] for digest in image.digests} == {
        image.image.digest: image.image.manifest.size,
        image.image.config.digest: image.image.config.size,
        image.image.layers[0].digest: image.image.layers[0].size,
    }
    assert ("copies/stored", image.image.digest) in storage.manifests
    assert [size for upload, size in storage.uploads.items() if "copies/stored/" in upload] == [4]


def test_failed_collection_says_why(registry: DistributionRegistry) -> None:
    with registry.twin() as twin:
        assert isinstance(twin, CollectsGarbage)
        collection = twin.collect_garbage()  # there is no repository yet

    assert "exit status 1" in collection.failure
    assert not collection.blobs


def test_twin_has_the_accounts_and_none_of_the_content(
    registry: DistributionRegistry, engine: Engine
) -> None:
    image = workload.publish(registry, oci.image(), repository="copies/twin")
    with leaving_nothing(registry, engine), registry.twin() as twin:
        assert twin.host == registry.host
        assert twin.api().catalog() == ()
        workload.publish(twin, oci.image(), repository="copies/twin-alone")
        assert workload.unserved(registry, image) == ()
    journalled = journal_in(registry.handle.folder.parent).names("container")

    assert "copies/twin-alone" not in registry.api().catalog()
    assert any(name.startswith(f"{registry.handle.container}.") for name in journalled)


def test_copy_is_for_our_eyes_only_and_goes_with_the_block(
    registry: DistributionRegistry, engine: Engine
) -> None:
    with leaving_nothing(registry, engine), registry.backed_up() as backup:
        secret_files = (backup.storage, backup.configuration / config.KEY_FILE)
        assert {file.stat().st_mode & 0o777 for file in secret_files} == {0o600}
        assert backup.storage.parent.stat().st_mode & 0o777 == 0o700


def test_restored_registry_takes_the_place_and_gives_it_back(
    registry: DistributionRegistry, engine: Engine
) -> None:
    image = workload.publish(registry, oci.image(), repository="copies/restored")
    with leaving_nothing(registry, engine), registry.backed_up() as backup:
        with registry.restored(backup) as restored:
            assert registry._container.status == "exited"
            assert workload.unserved(restored, image) == ()
            workload.publish(restored, oci.image(), repository="copies/lost-again")
        assert workload.unserved(registry, image) == ()

    assert "copies/lost-again" not in registry.api().catalog()


def test_copy_without_its_configuration_is_refused_and_the_original_serves(
    registry: DistributionRegistry, engine: Engine
) -> None:
    with leaving_nothing(registry, engine), registry.backed_up() as backup:
        (backup.configuration / config.CONFIGURATION_FILE).unlink()
        with pytest.raises(RegistryError, match="is not healthy"), registry.restored(backup):
            pass

    assert registry.api().ping().status == 200
