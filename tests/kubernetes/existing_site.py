"""A cluster and a registry that exist: made by hand, outside of any run of ours."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.access import Access
from harness.images.model import Image
from harness.images.provide import provide
from harness.keyring import dockerconfigjson
from harness.lab import credentials_of
from harness.lifecycle.run import RUN_LABEL
from harness.machine import CHECKOUT
from harness.registry.distribution_start import distribution_registry
from harness.scenario.model import AuthSpec, RegistrySpec, TLSSpec
from harness.trust import Authority
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.engine import Engine
    from harness.home import Home
    from harness.registry.distribution import DistributionRegistry
    from tests.kubernetes.kind_cluster import KindCluster

NODES = ("control-plane", "worker", "worker2")
SPACE = "platform"  # a namespace of the cluster's owner
ROLE = CHECKOUT / "docs/probe-role.yaml"
TEMPLATE = CHECKOUT / "scenarios/existing.yaml"
# Events come and go by themselves.
_PASSING = ("events", "events.events.k8s.io")
_SETTLED_SECONDS = 120
# How many others make of these, some time after a node is ready or a namespace is there.
_LATE = (
    (("leases", "--namespace=kube-node-lease"), len(NODES)),
    (("csinodes",), len(NODES)),
    (("serviceaccounts,configmaps", f"--namespace={SPACE}"), 2),
)


@dataclass(frozen=True)
class Site:
    """What a platform team has, and the files by which its members judge it."""

    cluster: KindCluster
    registry: DistributionRegistry
    scenario: Path

    def objects(self) -> set[str]:
        """Return all objects of all resources of the API: resource, namespace and name."""
        listed = self.cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
        kinds = ",".join(name for name in listed if name not in _PASSING)
        columns = "KIND:.kind,SPACE:.metadata.namespace,NAME:.metadata.name"
        found = self.cluster.kubectl(
            *(
                "get",
                kinds,
                "--all-namespaces",
                "--no-headers",
                f"--output=custom-columns={columns}",
            )
        )
        return {" ".join(line.split()) for line in found.splitlines()}

    def namespaces_of(self, run_id: str) -> list[str]:
        """Return the namespaces that a run has in the cluster now."""
        label = f"--selector={RUN_LABEL}={run_id}"
        return self.cluster.kubectl("get", "namespaces", label, "--output=name").split()

    def kubeconfig_of(self, account: str, role: str, folder: Path) -> Path:
        """Make a service account with a cluster role and nothing else; return its kubeconfig."""
        named = f"--serviceaccount={SPACE}:{account}"
        self.cluster.kubectl("create", "serviceaccount", account, "--namespace", SPACE)
        self.cluster.kubectl("create", "clusterrolebinding", account, "--clusterrole", role, named)
        token = self.cluster.kubectl("create", "token", account, "--namespace", SPACE)
        raw = self.cluster.kubectl("config", "view", "--raw", "--minify", "--output=json")
        config = json.loads(raw)
        config["users"] = [{"name": account, "user": {"token": token}}]
        config["contexts"][0]["context"]["user"] = account
        file = folder / account
        file.touch(mode=0o600)
        file.write_text(json.dumps(config))
        with Access(file, None).api() as api:
            wait_until(
                lambda: api.may("list", "nodes"),
                timeout_seconds=_SETTLED_SECONDS,
                what=f"the API server to know the rights of {account}",
            )
        return file


@contextmanager
def existing_site(cluster: KindCluster, engine: Engine, home: Home, folder: Path) -> Iterator[Site]:
    """Start a registry with TLS and an account in the cluster's network; all nodes trust it."""
    spec = RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec())
    image = provide(Image.REGISTRY_2_8, engine=engine, home=home, announce=print)
    with distribution_registry(
        spec,
        engine=engine,
        image_id=image.id,
        network=cluster.network,
        labels={},
        name=f"{cluster.name}-registry",
        folder=folder / "registry",
        authorities={"private-ca": Authority.create("private-ca")},
    ) as registry:
        for node in NODES:
            _trust(cluster, node, registry)
        cluster.kubectl("create", "namespace", SPACE)
        cluster.kubectl("create", "secret", "generic", "hush", "-n", SPACE, "--from-literal=a=b")
        cluster.kubectl("apply", "--filename", str(ROLE))
        _settle(cluster)
        yield Site(cluster, registry, _scenario(registry, folder))


def _settle(cluster: KindCluster) -> None:
    """Wait until all is there that comes by itself, so that it is not taken for ours."""
    limit = f"--timeout={_SETTLED_SECONDS}s"
    nodes = ("wait", "nodes", "--all", "--for=condition=Ready")
    resolver = ("rollout", "status", "--namespace=kube-system", "deployment/coredns")
    for waiting in (nodes, resolver):
        cluster.kubectl(*waiting, limit, timeout_seconds=_SETTLED_SECONDS + 10)
    for what, count in _LATE:
        _wait_for(cluster, what, count)


def _wait_for(cluster: KindCluster, what: Sequence[str], count: int) -> None:
    wait_until(
        lambda: cluster.kubectl("get", *what, "--output=name").split(),
        ready=lambda found: len(found) == count,
        timeout_seconds=_SETTLED_SECONDS,
        interval_seconds=0.5,
        what=f"{count} {what[0]} of the cluster's own",
    )


def _trust(cluster: KindCluster, node: str, registry: DistributionRegistry) -> None:
    certs = f"/etc/containerd/certs.d/{registry.host}"
    authority = (registry.ca or b"").decode()
    hosts = (
        f'server = "https://{registry.host}"\nca = "{certs}/ca.crt"\n'
        f'[host."https://{registry.host}"]\nca = "{certs}/ca.crt"\n'
    )
    cluster.on(node, f"mkdir -p {certs}\ncat >{certs}/ca.crt <<'END'\n{authority}\nEND")
    cluster.on(node, f"cat >{certs}/hosts.toml <<'END'\n{hosts}\nEND")


def _scenario(registry: DistributionRegistry, folder: Path) -> Path:
    """Fill in the published template as its reader would."""
    (folder / "registry-ca.pem").write_bytes(registry.ca or b"")
    account = folder / "config.json"
    account.touch(mode=0o600)
    account.write_text(dockerconfigjson({registry.host: credentials_of(registry)}).reveal())
    text = TEMPLATE.read_text()
    for old, new in (
        ("host: registry.example.com:5000", f"host: {registry.host}"),
        ("# caFile:", "caFile:"),
        ("# credentialsFile: ~/.docker/config.json", f"credentialsFile: {account.name}"),
        ("# repositoryPrefix:", "repositoryPrefix:"),
        ("# address: 192.0.2.7:5000", f"address: {registry.endpoint.address}"),
        ("sizeClasses: [10MiB], samples: 3", "sizeClasses: [1MiB], samples: 1"),
        ("sizeClass: 10MiB", "sizeClass: 1MiB"),
    ):
        assert old in text
        text = text.replace(old, new)
    scenario = folder / "ours.yaml"
    scenario.write_text(text)
    return scenario
