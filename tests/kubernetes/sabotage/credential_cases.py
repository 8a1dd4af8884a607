"""Nodes, namespaces and registries that give away what only a pull secret should open."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.cluster.protocols import KubernetesAccess
from harness.cluster.pull_secrets import create_secret, delete_secret, pull_secret
from harness.cluster.rollout import RunningWorkload
from harness.cluster.rollout_model import ControllerKind, Workload
from harness.cluster.rollout_state import workload_body
from harness.findings import Code
from harness.lab import ability, credentials_of
from harness.lab.certs_d import hosts_file
from harness.registry.protocols import ChangesCredentials
from tests.kubernetes.sabotage.breaking import (
    Mutation,
    changed_file,
    mutated,
    restart_kubelet,
    worker_2,
)
from tests.kubernetes.sabotage.case import Case, red

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.lab import Lab
    from harness.workload import Published

ALL_NODES = frozenset({"control-plane", "worker", "worker2"})
WORKER_2 = frozenset({"worker2"})
KUBELET_FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
PROVIDERS = "/var/lib/kubelet/credential-providers"
NAMESPACES = "/api/v1/namespaces"
DAEMON_SETS = "/apis/apps/v1/namespaces/{}/daemonsets"
COPIED = {"sabotage": "copied"}
HOLDERS_SECONDS = 120


@contextmanager
def _node_with_an_account(lab: Lab) -> Iterator[None]:
    """Let worker2 send credentials of its own with each request."""
    accounts, password = ability(lab.primary, ChangesCredentials), lab.new_password()
    pair = base64.b64encode(f"worker2:{password.reveal()}".encode()).decode()
    host = lab.primary.host
    header = f'\n[host."https://{host}".header]\n  Authorization = "Basic {pair}"\n'
    accounts.set_password("worker2", password)
    try:
        with changed_file(worker_2(lab), hosts_file(host), lambda text: text + header.encode()):
            yield
    finally:
        accounts.remove_account("worker2")


@contextmanager
def _provider_for_all_registries(lab: Lab) -> Iterator[None]:
    """Give worker2's kubelet a credential provider whose wildcard matches too much."""
    node, known = worker_2(lab), credentials_of(lab.primary)
    too_much = f"*.{lab.primary.host.partition('.')[2]}"
    account = {"username": known.username, "password": known.password.reveal()}
    answer = {
        "kind": "CredentialProviderResponse",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "cacheKeyType": "Registry",
        "auth": {too_much: account},
    }
    config = {
        "kind": "CredentialProviderConfig",
        "apiVersion": "kubelet.config.k8s.io/v1",
        "providers": [
            {
                "name": "broad",
                "matchImages": [too_much],
                "defaultCacheDuration": "1m",
                "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            }
        ],
    }
    script = f"#!/bin/sh\ncat >/dev/null\nexec cat {PROVIDERS}/answer\n"
    flags = (
        f" --image-credential-provider-bin-dir={PROVIDERS}"
        f' --image-credential-provider-config={PROVIDERS}/config"'
    )
    files = {
        f"{PROVIDERS}/answer": json.dumps(answer).encode(),
        f"{PROVIDERS}/config": json.dumps(config).encode(),
        f"{PROVIDERS}/broad": script.encode(),
    }
    for path, content in files.items():
        node.write_file(path, content)
    assert node.execute(["chmod", "755", f"{PROVIDERS}/broad"]).status == 0

    def add_flags(text: bytes) -> bytes:
        return text.rstrip().removesuffix(b'"') + flags.encode() + b"\n"

    try:
        with changed_file(node, KUBELET_FLAGS, add_flags):
            restart_kubelet(lab, node)
            yield
    finally:
        restart_kubelet(lab, node)
        node.execute(["rm", "-r", PROVIDERS])


@contextmanager
def _secret_of_the_default_account(lab: Lab) -> Iterator[None]:
    """Have all pods of the namespace pull with a secret, those too that name none."""
    cluster = ability(lab.cluster, KubernetesAccess)
    name = "sabotage"
    account = f"{NAMESPACES}/{cluster.namespace}/serviceaccounts/default"
    content = pull_secret({lab.primary.host: credentials_of(lab.primary)})
    create_secret(cluster.api, cluster.namespace, name, content)
    try:
        cluster.api.merge(account, {"imagePullSecrets": [{"name": name}]})
        yield
    finally:
        cluster.api.merge(account, {"imagePullSecrets": None})
        delete_secret(cluster.api, cluster.namespace, name)


def _copy_secrets(lab: Lab, published: Published) -> None:
    """Copy each secret of the second namespace to the first, as some controllers do.

    Checks publish their image between a secret and the first pod that names it, so that no pod
    comes before the copy. A pod on each node pulls with it first: a kubelet keeps the secrets of
    its pods, and has one second to get any other.
    """
    cluster = ability(lab.cluster, KubernetesAccess)
    own, second = (
        f"{NAMESPACES}/{name}/secrets" for name in (cluster.namespace, cluster.second_namespace)
    )
    there = {str(each["metadata"]["name"]) for each in cluster.api.list(own)}
    copied = []
    for found in cluster.api.list(second):
        if (name := str(found["metadata"]["name"])) not in there:
            kept = {key: found[key] for key in ("type", "data")}
            cluster.api.create(own, {"metadata": {"name": name, "labels": COPIED}, **kept})
            copied.append(name)
    if copied:
        holders = _holders(cluster, published.reference, *copied)
        cluster.api.create(DAEMON_SETS.format(cluster.namespace), workload_body(holders.workload))
        assert holders.wait(timeout_seconds=HOLDERS_SECONDS).complete


@contextmanager
def _without_copies(lab: Lab) -> Iterator[None]:
    """Remove the copies of secrets at the end."""
    cluster = ability(lab.cluster, KubernetesAccess)
    try:
        yield
    finally:
        _holders(cluster).delete()
        label = ",".join(f"{key}={value}" for key, value in COPIED.items())
        cluster.api.delete(f"{NAMESPACES}/{cluster.namespace}/secrets", labelSelector=label)


def _holders(cluster: KubernetesAccess, image: str = "", *secrets: str) -> RunningWorkload:
    """Return what has a pod with some secrets on each node."""
    wanted = Workload(
        ControllerKind.DAEMON_SET, cluster.namespace, "sabotage-holders", image, secrets
    )
    return RunningWorkload(cluster.api, wanted)


CASES = (
    Case(
        name="node-brings-an-account-of-its-own",
        broken=_node_with_an_account,
        turns_red={
            **red(Code.WRONG_PATH, "secret-on-the-pod-pulls"),
            **red(
                Code.PULL_ACCEPTED,
                "pod-without-a-secret-is-refused",
                "secret-on-the-service-account-pulls",
                "rotated-secret-pulls-and-the-old-one-is-refused",
            ),
        },
        subjects=WORKER_2,
        bystanders=("unknown-ca-is-refused-on-every-node",),
    ),
    Case(
        name="credential-provider-matches-too-much",
        broken=_provider_for_all_registries,
        turns_red=red(
            Code.PULL_ACCEPTED,
            "mismatched-keys-are-refused",
            "malformed-pull-secrets-are-refused",
            "immutable-secret-goes-on-as-it-was",
            "wrong-password-is-named-alike-by-all",
            "always-policy-asks-for-credentials-of-a-cached-image",
        ),
        subjects=WORKER_2,
        bystanders=("secret-on-the-pod-pulls",),
    ),
    Case(
        name="default-service-account-has-a-secret",
        broken=_secret_of_the_default_account,
        turns_red=red(
            Code.PULL_ACCEPTED,
            "pod-without-a-secret-is-refused",
            "cached-image-does-not-mask-absent-credentials",
        ),
        subjects=ALL_NODES,
        bystanders=("secret-on-the-pod-pulls",),
    ),
    Case(
        name="secrets-are-copied-across-namespaces",
        broken=_without_copies,
        published=_copy_secrets,
        turns_red=red(Code.PULL_ACCEPTED, "secret-of-another-namespace-is-refused"),
        subjects=ALL_NODES,
    ),
    Case(
        name="secrets-change-their-type-on-the-way",
        broken=lambda lab: mutated(lab, Mutation("secrets", "/type", '"Opaque"')),
        turns_red=red(
            Code.CONFIGURATION, "pull-secret-that-is-no-json-object-is-refused-by-the-api"
        ),
        subjects=frozenset({"the Kubernetes API"}),
        bystanders=("pod-without-a-secret-is-refused",),
    ),
)
