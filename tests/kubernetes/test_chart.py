"""The chart of a registry inside the cluster: nodes pull from it, and its volume outlives it."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import bcrypt
import pytest

from harness import oci
from harness.cluster.kind import KindCluster
from harness.cluster.protocols import RuntimeAccess
from harness.command import run
from harness.diagnosis import FailureCode
from harness.distribution_api import DistributionAPI, Endpoint, TrustedAuthority
from harness.errors import RegistryError
from harness.hosts_toml import CERTS_D, Host, HostsFile, render
from harness.images.model import Image
from harness.images.provide import provide
from harness.lab import ability
from harness.lab.certs_d import hosts_file
from harness.machine import CHECKOUT
from harness.secret import Credentials
from harness.tools import Tool
from harness.trust import Authority, served_certificate
from harness.wait import wait_until
from harness.workload import TAG, pull_on, unique_repository
from tests.kubernetes.kind_cluster import kind, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cluster.protocols import Node
    from harness.engine import Engine
    from harness.home import Home
    from harness.lab import Lab

CHART = CHECKOUT / "charts/registry"
RELEASE = "in-cluster"
HOST = "in-cluster.pullproof.test:5000"
NODE_PORT = 30500
LABELS = f"app.kubernetes.io/instance={RELEASE}"


@dataclass(frozen=True)
class Release:
    """The chart in a namespace of the lab's cluster, and who may push to its registry."""

    lab: Lab
    cluster: KindCluster
    folder: Path
    image: str
    credentials: Credentials
    authority: Authority = field(default_factory=lambda: Authority.create("in-cluster"))

    def helm(self, *arguments: str) -> str:
        """Run helm in the namespace; it writes nothing outside the test's folder."""
        command = [str(tool(Tool.HELM)), "--kubeconfig", str(self.cluster.api.kubeconfig)]
        command += ["--namespace", self.cluster.namespace, *arguments]
        places = {f"HELM_{kind}_HOME": str(self.folder) for kind in ("CACHE", "CONFIG", "DATA")}
        environment = {**os.environ, **places}
        return run(command, environment=environment, timeout_seconds=180).text

    def install(self, *settings: str) -> None:
        """Install or upgrade the release; all of it is ready when this returns."""
        repository, _, tag = self.image.rpartition(":")
        values = (
            *(f"image.repository={repository}", f"image.tag={tag}", "image.pullPolicy=Never"),
            *("tls.secretName=in-cluster-tls", "accounts.secretName=in-cluster-accounts"),
            *("persistence.size=1Gi", *settings),
        )
        chosen = [word for value in values for word in ("--set", value)]
        self.helm("upgrade", "--install", "--wait", "--timeout=120s", *chosen, RELEASE, str(CHART))
        # kube-proxy of each node hears of a new pod a moment after it is ready.
        wait_until(
            lambda: all(self.answers(node) for node in self.lab.nodes),
            timeout_seconds=30,
            what=f"every node to lead to {HOST}",
        )

    def api(self, node: Node) -> DistributionAPI:
        """Reach the registry through a node's port, its certificate verified."""
        trust = TrustedAuthority(self.authority.certificate_pem)
        endpoint = Endpoint(HOST, node.address, trust, address_port=NODE_PORT)
        return DistributionAPI(endpoint, self.credentials)

    def answers(self, node: Node) -> bool:
        """Whether the registry answers through a node's port."""
        try:
            return self.api(node).ping().status == HTTPStatus.OK
        except RegistryError:
            return False

    def pods(self) -> list[str]:
        """Return the names of the release's pods."""
        path = f"/api/v1/namespaces/{self.cluster.namespace}/pods"
        return [
            each["metadata"]["name"] for each in self.cluster.api.list(path, labelSelector=LABELS)
        ]

    def push(self) -> tuple[str, oci.Image]:
        """Push an image that nobody has; return its reference and the image."""
        image, repository = oci.image(), unique_repository("chart")
        self.api(self.lab.nodes[0]).push(image, repository, TAG)
        return f"{HOST}/{repository}:{TAG}", image

    def assert_pulled(self, reference: str) -> None:
        """Every node pulls it, cold."""
        for node in self.lab.nodes:
            ability(node, RuntimeAccess).remove_image(reference)
        pulls = pull_on(self.lab.nodes, reference, self.credentials)
        assert [pull.failure for pull in pulls] == [None] * len(self.lab.nodes)


@pytest.fixture(scope="module")
def release(
    lab: Lab, engine: Engine, home: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Release]:
    cluster = lab.cluster
    assert isinstance(cluster, KindCluster)
    image = provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print).reference
    load = ["load", "docker-image", image, "--name", cluster.name]
    kind(engine, *load, network="kind", timeout_seconds=120)
    credentials = Credentials("chart", lab.new_password())
    made = Release(lab, cluster, tmp_path_factory.mktemp("helm"), image, credentials)
    _create_secrets(made)
    _declare_on_nodes(made)
    made.install()
    yield made
    made.helm("uninstall", "--wait", RELEASE)


def _create_secrets(release: Release) -> None:
    names = (HOST.partition(":")[0], *(node.address for node in release.lab.nodes))
    pair = release.authority.issue(*names)
    password = release.credentials.password.reveal().encode()
    hashed = bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()
    for name, data in (
        ("tls", {"tls.crt": pair.certificate_pem.decode(), "tls.key": pair.key_pem.reveal()}),
        ("accounts", {"htpasswd": f"{release.credentials.username}:{hashed}\n"}),
    ):
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        secret = {
            "metadata": {"name": f"in-cluster-{name}"},
            "type": "kubernetes.io/tls" if name == "tls" else "Opaque",
            "data": encoded,
        }
        path = f"/api/v1/namespaces/{release.cluster.namespace}/secrets"
        release.cluster.api.create(path, secret)


def _declare_on_nodes(release: Release) -> None:
    """Lead each node's runtime to its own node port: it resolves no names of the cluster."""
    authority = f"{CERTS_D}/{HOST}/ca.crt"
    for node in release.lab.nodes:
        on = ability(node, RuntimeAccess)
        on.write_file(authority, release.authority.certificate_pem)
        host = Host(f"https://{node.address}:{NODE_PORT}", ca=authority)
        on.write_file(hosts_file(HOST), render(HostsFile(host, ())).encode())


def test_chart_is_sound(release: Release) -> None:
    release.helm("lint", "--strict", str(CHART))


def test_every_node_pulls_from_the_registry_in_the_cluster(release: Release) -> None:
    reference, _ = release.push()

    release.assert_pulled(reference)
    refused = pull_on(release.lab.nodes, reference, None)
    assert {pull.failure.code for pull in refused if pull.failure} == {FailureCode.AUTHENTICATION}


def test_images_outlive_the_pod_of_the_registry(release: Release) -> None:
    reference, _ = release.push()
    (before,) = release.pods()

    path = f"/api/v1/namespaces/{release.cluster.namespace}/pods/{before}"
    release.cluster.api.delete(path)
    release.install()  # which waits until all is ready again

    assert before not in release.pods()
    release.assert_pulled(reference)


def test_upgrade_keeps_images_and_certificate(release: Release) -> None:
    reference, _ = release.push()
    (before,) = release.pods()
    address = release.lab.nodes[0].address
    presented = served_certificate(address, NODE_PORT, server_name=HOST.partition(":")[0])

    release.install("logLevel=debug")

    assert release.pods() != [before]
    assert presented == served_certificate(address, NODE_PORT, server_name=HOST.partition(":")[0])
    release.assert_pulled(reference)


def test_images_outlive_the_release(release: Release) -> None:
    reference, _ = release.push()

    release.helm("uninstall", "--wait", RELEASE)
    wait_until(lambda: not release.pods(), timeout_seconds=60, what="the registry's pod to be gone")
    release.install()

    release.assert_pulled(reference)
