from __future__ import annotations

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from harness import oci
from harness.distribution_api import (
    DistributionAPI,
    Endpoint,
    TrustedAuthority,
    UnexpectedStatusError,
)
from harness.engine import open_engine
from harness.errors import EngineError, HarnessError, RegistryError
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide
from harness.registry.distribution import DistributionRegistryWithAccounts, attach
from harness.registry.distribution_start import distribution_registry
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
from harness.secret import Credentials, new_password
from harness.trust import Authority, certificate_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry

SPECS = (
    RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec()),
    RegistrySpec(name="unknown-ca", tls=TLSSpec(issuer="another-ca")),
    RegistrySpec(name="expired", tls=TLSSpec(certificate="expired")),
    RegistrySpec(name="not-yet-valid", tls=TLSSpec(certificate="not-yet-valid")),
    RegistrySpec(name="wrong-name", tls=TLSSpec(certificate="wrong-name")),
    RegistrySpec(name="client-certificate", tls=TLSSpec(client_certificate="required")),
    RegistrySpec(name="plain-http"),
)
LABEL = "pullproof.test"


@dataclasses.dataclass(frozen=True)
class Stage:
    """A network of an engine, what it takes to start registries in it, and who signs for them."""

    engine: Engine
    image_id: str
    network: str
    authorities: dict[str, Authority]
    folder: Path

    def start(self, spec: RegistrySpec) -> AbstractContextManager[DistributionRegistry]:
        name = f"{self.network}-{spec.name}"
        return distribution_registry(
            spec,
            engine=self.engine,
            image_id=self.image_id,
            network=self.network,
            labels={LABEL: name},
            name=name,
            folder=self.folder / spec.name,
            authorities=self.authorities,
        )

    def leftovers(self, spec: RegistrySpec) -> tuple[str, ...]:
        files = (str(path) for path in (self.folder / spec.name,) if path.exists())
        return (*self.engine.labelled(LABEL, f"{self.network}-{spec.name}"), *files)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = Home.locate(os.environ)
    with open_engine(home, print, os.environ) as engine:
        image = provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print)
        network = engine.create_network(f"test-{uuid4().hex[:8]}", {LABEL: "network"})
        try:
            yield Stage(
                engine=engine,
                image_id=image.id,
                network=network.name,
                authorities={name: Authority.create(name) for name in ("private-ca", "another-ca")},
                folder=tmp_path_factory.mktemp("registries"),
            )
        finally:
            network.remove()


@pytest.fixture(scope="module")
def registries(stage: Stage) -> Iterator[dict[str, DistributionRegistry]]:
    with ExitStack() as stack, ThreadPoolExecutor(len(SPECS)) as pool:
        started = pool.map(lambda spec: stack.enter_context(stage.start(spec)), SPECS)
        yield {registry.spec.name: registry for registry in started}


@pytest.fixture
def primary(registries: dict[str, DistributionRegistry]) -> DistributionRegistryWithAccounts:
    registry = registries["primary"]
    assert isinstance(registry, DistributionRegistryWithAccounts)
    return registry


@pytest.fixture
def repository() -> str:
    return f"test/{uuid4().hex[:12]}"


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


def test_registry_has_the_abilities_that_the_lab_asks_for(primary: DistributionRegistry) -> None:
    for ability in (
        *(Registry, KeepsAccessLog, HasUndeclaredName, ChangesCredentials),
        *(Restarts, ReportsUsage, ExposesStorage, PresentsCertificate, RequiresClientCertificate),
    ):
        assert isinstance(primary, ability)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown-ca", "unable to get local issuer"),
        ("expired", "certificate has expired"),
        ("not-yet-valid", "not yet valid"),
        ("wrong-name", "Hostname mismatch"),
    ],
)
def test_wrong_certificate_is_refused_by_those_who_verify(
    stage: Stage, registries: dict[str, DistributionRegistry], name: str, reason: str
) -> None:
    registry = registries[name]
    trust = TrustedAuthority(stage.authorities["private-ca"].certificate_pem)
    verifying = dataclasses.replace(registry.endpoint, trust=trust)

    with pytest.raises(RegistryError, match=reason):
        DistributionAPI(verifying).ping()


@pytest.mark.parametrize("name", [spec.name for spec in SPECS])
def test_content_can_be_pushed_whatever_the_certificate(
    registries: dict[str, DistributionRegistry], repository: str, name: str
) -> None:
    registry = registries[name]
    image = oci.image()

    registry.api().push(image, repository, "v1")

    assert registry.api().manifest(repository, "v1").digest == image.digest


@pytest.mark.parametrize("name", [spec.name for spec in SPECS if spec.tls])
def test_served_certificate_is_the_issued_one(
    registries: dict[str, DistributionRegistry], name: str
) -> None:
    registry = registries[name]

    served = registry.served_certificate()

    assert registry.ca is not None
    assert certificate_facts(served).fingerprint == registry.handle.fingerprint
    assert certificate_facts(served).issuer == certificate_facts(registry.ca).subject


def test_client_without_certificate_is_refused(registries: dict[str, DistributionRegistry]) -> None:
    registry = registries["client-certificate"]

    assert "certificate required" in registry.refusal_without_certificate()
    assert registries["expired"].refusal_without_certificate() == ""
    stranger = Authority.create("stranger").issue("client.test")
    unknown = dataclasses.replace(registry.endpoint, client_certificate=stranger)
    with pytest.raises(RegistryError, match="GET https"):
        DistributionAPI(unknown).ping()


def test_certificate_is_valid_for_the_undeclared_name_too(primary: DistributionRegistry) -> None:
    known = primary.endpoint
    other = Endpoint(primary.undeclared_host, known.address, known.trust)

    assert DistributionAPI(other, primary.credentials).ping().status == 200


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
    assert [(each.method, each.path, each.status, each.user) for each in found] == [
        ("HEAD", f"{manifests}/v1", 200, "pullproof"),
        ("GET", f"{manifests}/v1", 200, "reader"),
        ("GET", f"{blobs}/{layer.digest}", 200, "pullproof"),
        ("HEAD", f"{blobs}/{layer.digest}", 200, "pullproof"),
        ("GET", f"{manifests}/absent", 404, "pullproof"),
        ("GET", f"{manifests}/v1", 401, ""),
        ("GET", f"{blobs}/{layer.digest}", 401, ""),
    ]
    assert found[1].response_bytes == image.manifest.size
    assert found[2].response_bytes == layer.size
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
    idle = primary.open_files()
    with api.reading(repository, layer.digest):
        # The connection and the blob's file.
        assert primary.open_files() >= idle + 1


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
    with pytest.raises(RegistryError, match="gone"):
        attach(dataclasses.replace(primary.handle, container="never-started"), stage.engine)


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

        with pytest.raises(RegistryError, match=r"(?s)silent.*not healthy.*listening on .*:5999"):
            registry.wait_until_healthy(timeout_seconds=0.5)


def test_registry_that_ends_is_not_waited_for(stage: Stage) -> None:
    with stage.start(RegistrySpec(name="ending")) as registry:
        (registry.handle.folder / "etc" / "config.yml").write_text("nonsense")

        with pytest.raises(RegistryError, match=r"(?s)ending.*configuration error"):
            registry.restart()
