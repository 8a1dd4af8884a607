from __future__ import annotations

from typing import TYPE_CHECKING

from harness.registry.in_cluster import InClusterRegistry
from harness.registry.in_cluster_start import Site
from harness.scenario.model import RegistrySpec
from harness.secret import Secret
from harness.trust import Authority

if TYPE_CHECKING:
    from pathlib import Path

# Stands in for helm, whose places need a cluster: it writes where those libraries would.
WRITES = """#!/bin/sh
echo "$HELM_CACHE_HOME" >"${KUBECACHEDIR:-$HOME/.kube/cache}/discovery"
"""


def test_helm_keeps_what_it_learns_in_the_folder_of_its_run(tmp_path: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text(WRITES)
    helm.chmod(0o700)
    authority = Authority.create("test")
    spec = RegistrySpec(name="inside", provider="in-cluster")
    registry = InClusterRegistry(
        spec, None, authority.certificate_pem, tmp_path / "kubeconfig", ("192.0.2.7",), 30500
    )
    site = Site(registry.kubeconfig, registry.addresses, helm, tmp_path, authority, Secret("s"))

    site._run_helm(registry, {})

    assert (tmp_path / "inside/discovery").read_text().strip() == str(tmp_path / "inside")
