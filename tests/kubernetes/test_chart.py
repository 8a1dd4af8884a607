"""A registry inside the cluster: nodes pull from it, and its volume outlives pod and release."""

from __future__ import annotations

import os
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from harness import checks, oci
from harness.command import run
from harness.findings import Inconclusive
from harness.registry.in_cluster import NAMESPACE, InClusterRegistry
from harness.registry.in_cluster_accounts import InClusterRegistryWithAccounts
from harness.registry.in_cluster_start import CHART, helm_places
from harness.secret import Credentials, new_password
from harness.tools import Tool
from harness.wait import wait_until
from harness.workload import publish, pull_on, unique_repository
from tests.kubernetes.kind_cluster import tool

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.workload import Published


@dataclass(frozen=True)
class Release:
    """The release of the lab's registry inside its cluster, and the command line it was made by."""

    lab: Lab
    registry: InClusterRegistry

    def helm(self, *arguments: str) -> None:
        """Run helm as the lab has done."""
        folder = self.lab.handle.folder / self.registry.spec.name
        named = ["--kubeconfig", str(self.registry.kubeconfig), "--namespace", NAMESPACE]
        command = [str(tool(Tool.HELM)), *named, *arguments]
        run(command, environment={**os.environ, **helm_places(folder)}, timeout_seconds=180)

    def install(self, *settings: str) -> None:
        """Install or upgrade it with the lab's values; all of it is ready when this returns."""
        values = self.lab.handle.folder / self.registry.spec.name / "values.json"
        told = ["--wait", "--timeout=120s", "--values", str(values), *settings]
        self.helm("upgrade", "--install", *told, self.registry.release, str(CHART))
        self.registry.wait_until_healthy()

    def push(self) -> Published:
        """Push an image that nobody has."""
        return publish(self.registry, oci.image(), repository=unique_repository("chart"))

    def assert_pulled(self, image: Published) -> None:
        """Every node pulls it, which had no part of it before."""
        pulls = pull_on(self.lab.nodes, image.reference, self.registry.credentials)
        assert [pull.failure for pull in pulls] == [None] * len(self.lab.nodes)


@pytest.fixture(scope="module")
def release(lab: Lab) -> Release:
    registry = lab.registries[-1]
    assert isinstance(registry, InClusterRegistry)
    return Release(lab, registry)


def test_chart_is_sound(release: Release) -> None:
    release.helm("lint", "--strict", str(CHART))


def test_log_tells_which_nodes_pulled_as_whom(release: Release) -> None:
    image, registry, nodes = release.push(), release.registry, release.lab.nodes
    mark = registry.mark()

    release.assert_pulled(image)

    requests = registry.requests_since(mark)
    assert not checks.served_by(requests, image.repository, nodes)
    users = checks.served_to_user(requests, image.repository, registry.credentials, nodes)
    assert not users
    later = registry.mark()
    assert not registry.requests_since(later)


def test_accounts_change_at_once(release: Release) -> None:
    assert isinstance(release.registry, InClusterRegistryWithAccounts)
    guest = Credentials("guest", new_password())

    release.registry.set_password(guest.username, guest.password)
    assert release.registry.api(guest).ping().status == HTTPStatus.OK
    release.registry.remove_account(guest.username)
    assert release.registry.api(guest).ping().status == HTTPStatus.UNAUTHORIZED
    assert release.registry.api().ping().status == HTTPStatus.OK


def test_upgrade_keeps_images_and_certificate_but_no_log(release: Release) -> None:
    image, presented = release.push(), release.registry.served_certificate()
    before, mark = release.registry.pods(), release.registry.mark()

    release.install("--set", "logLevel=info")

    assert release.registry.pods() != before
    assert "level: info" in release.registry.configuration()
    assert presented == release.registry.served_certificate()
    with pytest.raises(Inconclusive, match="its log is gone"):
        release.registry.requests_since(mark)
    release.assert_pulled(image)


def test_images_outlive_the_release(release: Release) -> None:
    image = release.push()

    release.helm("uninstall", "--wait", release.registry.release)
    wait_until(
        lambda: not release.registry.pods(), timeout_seconds=60, what="the registry's pod to go"
    )
    release.install()

    release.assert_pulled(image)
