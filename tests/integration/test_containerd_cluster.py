"""Nodes of each containerd version pull from real registries and say what is wrong."""

from __future__ import annotations

import dataclasses
import os
import pickle
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness import oci
from harness.cluster.containerd import ContainerdCluster, NodeParts, attached, containerd_cluster
from harness.cluster.containerd_config import CONFIG_FILE, HOSTS_FOLDER
from harness.cluster.protocols import Cluster, Node, RuntimeAccess
from harness.diagnosis import FailureCode
from harness.engine import open_engine
from harness.errors import HarnessError
from harness.home import Home
from harness.hosts_toml import Host, HostsFile, render
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.registry.distribution_start import distribution_registry
from harness.scenario.model import AuthSpec, ClusterSpec, RegistrySpec, TLSSpec
from harness.secret import Credentials, Secret
from harness.trust import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.cluster.containerd_node import ContainerdNode
    from harness.engine import Engine
    from harness.images.model import ProvidedImage
    from harness.registry.distribution import DistributionRegistry

LABEL = "pullproof.test"
VERSIONS = {"1.6": Image.NODE_1_6, "1.7": Image.NODE_1_7, "2.1": Image.NODE_2_1}
CA_FILE = f"{HOSTS_FOLDER}/private-ca.pem"
SPECS = (
    RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec()),
    RegistrySpec(name="unknown-ca", tls=TLSSpec(issuer="another-ca")),
    RegistrySpec(name="expired", tls=TLSSpec(certificate="expired")),
    RegistrySpec(name="not-yet-valid", tls=TLSSpec(certificate="not-yet-valid")),
    RegistrySpec(name="wrong-name", tls=TLSSpec(certificate="wrong-name")),
    RegistrySpec(name="client-certificate", tls=TLSSpec(client_certificate="required")),
    RegistrySpec(name="plain-http"),
    RegistrySpec(name="undeclared-http", declared_on_nodes=False),
    RegistrySpec(name="declared-http", tls=TLSSpec()),
)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A network with registries of every kind, and what it takes to start nodes in it."""

    engine: Engine
    network: str
    folder: Path
    images: Mapping[Image, ProvidedImage]
    registries: Mapping[str, DistributionRegistry]
    files: Mapping[str, bytes]

    @contextmanager
    def cluster(
        self, spec: ClusterSpec, files: Mapping[str, bytes] | None = None
    ) -> Iterator[ContainerdCluster]:
        run_id = f"{self.network}-{uuid4().hex[:4]}"
        parts = NodeParts(
            image=self.images[VERSIONS[spec.containerd]].id,
            network=self.network,
            folder=self.folder / run_id,
            labels={LABEL: run_id},
            run_id=run_id,
            files=self.files if files is None else files,
        )
        with containerd_cluster(spec, parts, self.engine) as cluster:
            yield cluster
        assert self.engine.labelled(LABEL, run_id) == ()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = Home.locate(os.environ)
    folder = tmp_path_factory.mktemp("lab")
    authorities = {name: Authority.create(name) for name in ("private-ca", "another-ca")}
    with ExitStack() as stack:
        engine = stack.enter_context(open_engine(home, print, os.environ))
        images = provide_all(
            (Image.REGISTRY_2_8, *VERSIONS.values()), engine=engine, home=home, announce=print
        )
        network = engine.create_network(f"test-{uuid4().hex[:8]}", {LABEL: "network"})
        stack.callback(network.remove)
        registries = {
            spec.name: stack.enter_context(
                distribution_registry(
                    spec,
                    engine=engine,
                    image_id=images[Image.REGISTRY_2_8].id,
                    network=network.name,
                    labels={LABEL: "registry"},
                    name=f"{network.name}-{spec.name}",
                    folder=folder / spec.name,
                    authorities=authorities,
                )
            )
            for spec in SPECS
        }
        files = {CA_FILE: authorities["private-ca"].certificate_pem} | {
            f"{HOSTS_FOLDER}/{registry.host}/hosts.toml": hosts_file(registry)
            for registry in registries.values()
            if registry.spec.declared_on_nodes
        }
        yield Stage(engine, network.name, folder, images, registries, files)


def hosts_file(registry: DistributionRegistry) -> bytes:
    """Declare a registry as it is, but for the one that is declared with the wrong scheme."""
    secure = registry.spec.tls is not None and registry.spec.name != "declared-http"
    url = f"{'https' if secure else 'http'}://{registry.host}"
    return render(HostsFile(Host(url, ca=CA_FILE if secure else None))).encode()


@pytest.fixture(scope="module", params=list(VERSIONS))
def cluster(stage: Stage, request: pytest.FixtureRequest) -> Iterator[ContainerdCluster]:
    with stage.cluster(ClusterSpec(nodes=2, containerd=request.param)) as started:
        yield started


@pytest.fixture
def node(cluster: ContainerdCluster) -> ContainerdNode:
    return cluster.nodes[0]


@pytest.fixture
def primary(stage: Stage) -> DistributionRegistry:
    return stage.registries["primary"]


@pytest.fixture
def image() -> oci.Image:
    """An image of two layers that no node can have."""
    return oci.image(layers=2, layer_bytes=100_000)


def blobs_served(registry: DistributionRegistry, mark: float) -> int:
    served = registry.requests_since(mark)
    return sum(each.method == "GET" and "/blobs/" in each.path for each in served)


def test_cluster_and_nodes_have_their_abilities(cluster: ContainerdCluster) -> None:
    abilities: tuple[type, ...] = (Node, RuntimeAccess)

    assert isinstance(cluster, Cluster)
    assert [node.name for node in cluster.nodes] == ["node-1", "node-2"]
    assert all(isinstance(node, each) for node in cluster.nodes for each in abilities)
    assert len({node.address for node in cluster.nodes}) == 2


def test_node_pulls_over_tls_with_an_account(
    node: ContainerdNode, primary: DistributionRegistry, image: oci.Image
) -> None:
    primary.api().push(image, "tls", "1")
    mark = primary.mark()

    pull = node.pull(f"{primary.host}/tls:1", primary.credentials)

    assert pull.failure is None
    assert pull.image_id == image.config.digest
    assert node.address in {request.client for request in primary.requests_since(mark)}
    wanted = [image.digest, *(layer.digest for layer in image.layers)]
    assert node.content_digests([*wanted, "sha256:" + "0" * 64]) == {each: each for each in wanted}


def test_node_pulls_over_plain_http_where_declared(
    stage: Stage, node: ContainerdNode, image: oci.Image
) -> None:
    registry = stage.registries["plain-http"]
    registry.api().push(image, "plain", "1")

    assert node.pull(f"{registry.host}/plain:1").succeeded


Case = tuple[str, "Callable[[Stage], tuple[str, Credentials | None]]"]
REFUSALS: tuple[Case, ...] = (
    ("name-resolution", lambda _: ("nobody.invalid:5000/a:1", None)),
    ("connection", lambda stage: (f"{refused(stage)}/a:1", None)),
    ("not-found", lambda stage: (at(stage, "plain-http"), None)),
    ("not-found", lambda stage: (at(stage, "primary"), stage.registries["primary"].credentials)),
    ("authentication", lambda stage: (at(stage, "primary"), None)),
    ("authentication", lambda stage: (at(stage, "primary"), Credentials("kim", Secret("no")))),
    ("scheme-mismatch", lambda stage: (at(stage, "undeclared-http"), None)),
    ("scheme-mismatch", lambda stage: (at(stage, "declared-http"), None)),
    ("tls-unknown-ca", lambda stage: (at(stage, "unknown-ca"), None)),
    ("tls-expired", lambda stage: (at(stage, "expired"), None)),
    ("tls-not-yet-valid", lambda stage: (at(stage, "not-yet-valid"), None)),
    ("tls-wrong-name", lambda stage: (at(stage, "wrong-name"), None)),
    ("tls-client-certificate", lambda stage: (at(stage, "client-certificate"), None)),
)


def at(stage: Stage, registry: str) -> str:
    return f"{stage.registries[registry].host}/nothing-here:1"


def refused(stage: Stage) -> str:
    return stage.registries["primary"].host.replace(":5000", ":5999")


@pytest.mark.parametrize(("code", "attempt"), REFUSALS)
def test_refusal_is_named(
    stage: Stage,
    node: ContainerdNode,
    code: str,
    attempt: Callable[[Stage], tuple[str, Credentials | None]],
) -> None:
    reference, credentials = attempt(stage)

    pull = node.pull(reference, credentials)

    assert pull.failure is not None
    assert (pull.failure.code, pull.image_id) == (code, None), pull.failure.evidence


def test_pull_ends_at_its_time_limit(node: ContainerdNode, stage: Stage, image: oci.Image) -> None:
    registry = stage.registries["plain-http"]
    registry.api().push(image, "slow", "1")

    pull = node.pull(f"{registry.host}/slow:1", timeout_seconds=0.001)

    assert pull.failure is not None
    assert pull.failure.code is FailureCode.TIMEOUT


def test_wrong_bytes_are_named_and_leave_nothing_behind(
    node: ContainerdNode, primary: DistributionRegistry, image: oci.Image
) -> None:
    reference = f"{primary.host}/wrong:1"
    primary.api().push(image, "wrong", "1")
    genuine = image.layers[1].content
    primary.overwrite_blob(image.layers[1].digest, genuine[::-1])

    pull = node.pull(reference, primary.credentials)
    primary.overwrite_blob(image.layers[1].digest, genuine)
    node.remove_image(reference)
    mark = primary.mark()
    again = node.pull(reference, primary.credentials)

    assert pull.failure is not None
    assert pull.failure.code is FailureCode.WRONG_BYTES, pull.failure.evidence
    assert again.succeeded
    assert blobs_served(primary, mark) == 3


def test_removed_image_is_fetched_again_and_a_kept_one_is_not(
    node: ContainerdNode, primary: DistributionRegistry, image: oci.Image
) -> None:
    reference = f"{primary.host}/removed:1"
    primary.api().push(image, "removed", "1")
    assert node.pull(reference, primary.credentials).succeeded

    mark = primary.mark()
    assert node.pull(reference, primary.credentials).succeeded
    warm = blobs_served(primary, mark)
    node.remove_image(reference)
    mark = primary.mark()
    assert node.pull(reference, primary.credentials).succeeded
    cold = blobs_served(primary, mark)

    assert (warm, cold) == (0, 3)


def test_removing_what_is_not_there_is_no_error(node: ContainerdNode) -> None:
    node.remove_image("nobody.invalid:5000/a:1")


def test_files_are_written_read_and_listed(node: ContainerdNode) -> None:
    declared = f"{HOSTS_FOLDER}/written.test:5000/hosts.toml"

    node.write_file(declared, b"one")
    node.write_file(declared, b"two")
    node.write_file("/srv/a folder/file", b"three")

    assert node.read_file(declared) == b"two"
    assert node.read_file("/srv/a folder/file") == b"three"
    assert node.read_file("/srv/none") is None
    assert declared in node.list_files(HOSTS_FOLDER)
    assert CA_FILE in node.list_files(f"{HOSTS_FOLDER}/")
    assert node.list_files("/srv") == ("/srv/a folder/file",)
    assert node.list_files("/none") == ()


def test_hosts_file_counts_at_the_next_pull(
    stage: Stage, node: ContainerdNode, image: oci.Image
) -> None:
    registry = stage.registries["undeclared-http"]
    registry.api().push(image, "fresh", "1")
    declaration = f"{HOSTS_FOLDER}/{registry.host}/hosts.toml"
    content = render(HostsFile(Host(f"http://{registry.host}"))).encode()

    refusal = node.pull(f"{registry.host}/fresh:1").failure
    node.write_file(declaration, content)
    pull = node.pull(f"{registry.host}/fresh:1")
    assert node.execute(["rm", declaration]).status == 0

    assert refusal is not None
    assert refusal.code is FailureCode.SCHEME_MISMATCH
    assert pull.succeeded


def test_runtime_tells_about_itself(node: ContainerdNode, tmp_path: Path) -> None:
    cluster = ContainerdCluster((node,))
    cluster.collect_logs(tmp_path / "logs")

    assert node.runtime_version().count(".") == 2
    assert node.runtime_conditions() == {}
    assert f'config_path = "{HOSTS_FOLDER}"' in node.runtime_config().replace("'", '"')
    assert "containerd successfully booted" in node.runtime_log()
    assert "containerd successfully booted" in (tmp_path / "logs/node-1.log").read_text()


def test_other_process_attaches_and_leaves_the_nodes_alone(
    stage: Stage, cluster: ContainerdCluster, image: oci.Image
) -> None:
    registry = stage.registries["plain-http"]
    registry.api().push(image, "attached", "1")
    handle = pickle.loads(pickle.dumps(cluster.handle()))  # noqa: S301 - our own bytes

    with attached(handle, stage.engine) as other:
        assert other.nodes[1].pull(f"{registry.host}/attached:1").succeeded

    assert cluster.nodes[1].content_digests([image.digest]) == {image.digest: image.digest}


def test_runtime_without_cri_is_told_from_a_refusal(
    stage: Stage, cluster: ContainerdCluster
) -> None:
    """Legacy mirrors beside config_path keep the CRI plugin from loading."""
    version = cluster.nodes[0].runtime_version()[:3]
    broken = {
        CONFIG_FILE: b"""
version = 2
[grpc]
  address = "/run/pullproof/cri.sock"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
  endpoint = ["https://mirror.invalid"]
"""
    }
    spec = ClusterSpec.model_validate({"nodes": 1, "containerd": version})
    with stage.cluster(spec, broken) as cri_less:
        node = cri_less.nodes[0]
        failure = node.pull("nobody.invalid:5000/a:1").failure

        assert set(node.runtime_conditions()) == {"RuntimeReady", "ImageServiceReady"}
        assert node.runtime_version()[:3] == version
        assert failure is not None
        assert failure.code is FailureCode.NODE_RUNTIME


def test_gone_node_cannot_be_attached(stage: Stage, cluster: ContainerdCluster) -> None:
    gone = dataclasses.replace(cluster.nodes[0].handle, container_id="0" * 64)

    with (
        pytest.raises(HarnessError, match="node-1 is gone"),
        attached(dataclasses.replace(cluster.handle(), nodes=(gone,)), stage.engine),
    ):
        pass
