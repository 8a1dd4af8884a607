"""Installs registries into a cluster by the chart in charts/registry."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness import command
from harness.kubernetes_api import KubernetesAPI
from harness.machine import CHECKOUT
from harness.pool import Pool
from harness.registry import distribution_config as config
from harness.registry.accounts import hashed
from harness.registry.distribution import USERNAME, registry_names
from harness.registry.in_cluster import NAMESPACE, InClusterRegistry
from harness.registry.in_cluster_accounts import InClusterRegistryWithAccounts
from harness.secret import Credentials, new_password

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.scenario.model import RegistrySpec
    from harness.secret import Secret
    from harness.trust import Authority

CHART: Final = CHECKOUT / "charts/registry"
_READY_SECONDS: Final = 300
# Kubernetes gives services ports of nodes from 30000 to 32767.
_FIRST_PORT: Final = 30500


@dataclass(frozen=True)
class Site:
    """The cluster into which registries are installed, and with what.

    `addresses` are those of its nodes, `helm` is the command line, `folder` the run's.
    `authority` signs certificates, `run_secret` begins all passwords.
    """

    kubeconfig: Path
    addresses: tuple[str, ...]
    helm: Path
    folder: Path
    authority: Authority
    run_secret: Secret

    def install(self, wanted: Sequence[tuple[RegistrySpec, str]]) -> tuple[InClusterRegistry, ...]:
        """Install all registries, each from an image that all nodes hold under that name.

        They are healthy when this returns. Raises CommandError with what helm says when a pod
        does not become ready, RegistryError when a node does not lead to it.
        """
        with KubernetesAPI(self.kubeconfig) as api:
            api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        with Pool(len(wanted)) as pool:
            installing = [
                pool.submit(self._install, spec, image, _FIRST_PORT + number)
                for number, (spec, image) in enumerate(wanted)
            ]
            return tuple(each.result() for each in installing)

    def _install(self, spec: RegistrySpec, image: str, port: int) -> InClusterRegistry:
        credentials = None
        if spec.auth is not None:
            credentials = Credentials(USERNAME, new_password(self.run_secret))
        authority = self.authority.certificate_pem
        kind = InClusterRegistry if spec.auth is None else InClusterRegistryWithAccounts
        registry = kind(spec, credentials, authority, self.kubeconfig, self.addresses, port)
        self._create_secrets(registry)
        self._run_helm(registry, _values(registry, image))
        registry.wait_until_healthy(timeout_seconds=_READY_SECONDS)
        return registry

    def _create_secrets(self, registry: InClusterRegistry) -> None:
        """Create what the chart takes by name, so that helm never sees it."""
        pair = self.authority.issue(*registry_names(registry.spec))
        tls = {"tls.crt": pair.certificate_pem.decode(), "tls.key": pair.key_pem.reveal()}
        with KubernetesAPI(self.kubeconfig) as api:
            _create_secret(api, f"{registry.release}-tls", "kubernetes.io/tls", tls)
            if account := registry.credentials:
                accounts = {config.ACCOUNTS_FILE: f"{USERNAME}:{hashed(account.password)}\n"}
                _create_secret(api, f"{registry.release}-accounts", "Opaque", accounts)

    def _run_helm(self, registry: InClusterRegistry, values: dict[str, object]) -> None:
        """Install the release; helm writes nothing outside the run's folder."""
        folder = self.folder / registry.spec.name
        folder.mkdir()
        file = folder / "values.json"
        file.write_text(json.dumps(values))
        named: list[str | Path]
        named = ["--kubeconfig", self.kubeconfig, "--namespace", NAMESPACE, "--values", file]
        install = ["upgrade", "--install", "--wait", f"--timeout={_READY_SECONDS}s"]
        command.run(
            [self.helm, *install, *named, registry.release, CHART],
            environment={**os.environ, **helm_places(folder)},
            timeout_seconds=_READY_SECONDS + 30,
        )


def helm_places(folder: Path) -> dict[str, str]:
    """Return the variables by which helm writes below a folder, not into the user's home.

    What it learns of a cluster's API it keeps where kubectl does (`getDefaultCacheDir` of
    k8s.io/cli-runtime).
    """
    kinds = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "KUBECACHEDIR")
    return dict.fromkeys(kinds, str(folder))


def _values(registry: InClusterRegistry, image: str) -> dict[str, object]:
    """Return what this release sets in the chart's values."""
    spec = registry.spec
    repository, _, tag = image.rpartition(":")
    folder = config.configuration_folder(spec)
    return {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "configurationFile": f"{folder}/{config.CONFIGURATION_FILE}",
        "environment": config.environment(spec),
        # as for registries beside the cluster: only these lines name users
        "logLevel": "debug" if spec.auth else "info",
        "tls": {"secretName": f"{registry.release}-tls"},
        "accounts": {"secretName": f"{registry.release}-accounts" if spec.auth else ""},
        "service": {"nodePort": registry.port},
    }


def _create_secret(api: KubernetesAPI, name: str, kind: str, data: dict[str, str]) -> None:
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    body = {"metadata": {"name": name}, "type": kind, "data": encoded}
    api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", body)
