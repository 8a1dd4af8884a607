"""Nodes whose runtime is configured wrongly, and names and ports that answer for no registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code
from harness.hosts_toml import CERTS_D
from harness.lab.certs_d import hosts_file
from harness.scenario import kinds
from tests.sabotage.breaking import (
    change_runtime_config,
    distribution,
    node_2,
    restart_registry,
    restart_runtime,
)
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from tests.sabotage.breaking import Document

NODE_2 = frozenset({"node-2"})
LEGACY_MIRRORS = """
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
  endpoint = ["https://mirror.invalid"]
"""
DISCARDED_LAYERS = """
[plugins."io.containerd.grpc.v1.cri".containerd]
  discard_unpacked_layers = true
"""
PULLS_OF_DECLARED = (
    "private-ca-is-accepted",
    "client-certificate-is-presented",
    "declared-plain-http-is-accepted",
    "mirror-serves-what-only-it-has",
    "first-mirror-comes-before-all-others",
    "origin-serves-what-mirrors-lack",
)
REFUSALS = (
    "unknown-ca-is-refused",
    "expired-certificate-is-refused",
    "not-yet-valid-certificate-is-refused",
    "wrong-name-is-refused",
    "undeclared-plain-http-is-refused",
    "missing-tag-is-called-not-found",
    "unknown-name-is-not-resolved",
    "closed-port-is-called-a-connection-failure",
)


def _configure_mirrors_twice(lab: Lab) -> None:
    """Keep the node's CRI from loading."""
    change_runtime_config(node_2(lab), lambda text: text + LEGACY_MIRRORS)
    restart_runtime(node_2(lab))


def _look_elsewhere_from_the_next_start_on(lab: Lab) -> None:
    change_runtime_config(node_2(lab), lambda text: text.replace(CERTS_D, "/etc/docker/certs.d"))


def _pull_as_nodes_of_kind_from_the_next_start_on(lab: Lab) -> None:
    change_runtime_config(node_2(lab), lambda text: text + DISCARDED_LAYERS)


def _look_nowhere(lab: Lab) -> None:
    change_runtime_config(node_2(lab), lambda text: text.replace("config_path", "# config_path"))
    restart_runtime(node_2(lab))


def _misname_a_hosts_file(lab: Lab) -> None:
    file = hosts_file(lab.find(kinds.PLAIN_HTTP).host)
    done = node_2(lab).execute(["mv", file, file.replace("hosts.toml", "host.toml")])
    assert done.status == 0


def _name_the_authority_for_the_host_only(lab: Lab) -> None:
    """Write what containerd 1.x falls over once the host has said that it lacks a tag."""
    host = lab.primary.host
    text = f"""server = "https://{host}"
[host."https://{host}"]
  capabilities = ["pull", "resolve"]
  ca = "{CERTS_D}/{host}/ca.crt"
"""
    node_2(lab).write_file(hosts_file(host), text.encode())


def _resolve_a_name_that_nobody_holds(lab: Lab) -> None:
    address = distribution(lab.primary).endpoint.address
    line = f"{address} no-such-registry.invalid"
    done = node_2(lab).execute(["sh", "-c", f"echo {line} >>/etc/hosts"])
    assert done.status == 0


def _listen_where_nobody_should(lab: Lab) -> None:
    def move_metrics(document: Document) -> None:
        debug = document["http"]["debug"]
        assert isinstance(debug, dict)
        debug["addr"] = ":1"

    restart_registry(lab.primary, move_metrics)


CASES = (
    Case(
        name="node-has-no-image-service",
        suite="trust",
        sabotage=Sabotage(lab_started=_configure_mirrors_twice),
        turns_red={
            "trust.runtime-serves-images": Code.RUNTIME_NOT_READY,
            "trust.runtime-reads-the-hosts-files": Code.CONFIGURATION,
            **{f"trust.{check}": Code.PULL_FAILED for check in PULLS_OF_DECLARED},
            **{f"trust.{check}": Code.WRONG_REASON for check in REFUSALS},
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-ignores-its-hosts-files-after-the-next-start",
        suite="trust",
        sabotage=Sabotage(lab_started=_look_elsewhere_from_the_next_start_on),
        turns_red={"trust.runtime-reads-the-hosts-files": Code.CONFIGURATION},
        subjects=NODE_2,
    ),
    Case(
        name="node-pulls-as-those-of-kind-after-the-next-start",
        suite="trust",
        sabotage=Sabotage(lab_started=_pull_as_nodes_of_kind_from_the_next_start_on),
        turns_red={"trust.runtime-pulls-as-other-nodes-do": Code.CONFIGURATION},
        subjects=NODE_2,
    ),
    Case(
        name="node-ignores-its-hosts-files",
        suite="trust",
        sabotage=Sabotage(lab_started=_look_nowhere),
        turns_red={
            "trust.runtime-reads-the-hosts-files": Code.CONFIGURATION,
            "trust.missing-tag-is-called-not-found": Code.WRONG_REASON,
            **{f"trust.{check}": Code.PULL_FAILED for check in PULLS_OF_DECLARED},
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-has-a-misnamed-hosts-file",
        suite="trust",
        sabotage=Sabotage(lab_started=_misname_a_hosts_file),
        turns_red={
            "trust.hosts-files-are-sound": Code.CONFIGURATION,
            "trust.declared-plain-http-is-accepted": Code.PULL_FAILED,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-names-the-authority-for-the-host-only",
        suite="trust",
        sabotage=Sabotage(lab_started=_name_the_authority_for_the_host_only),
        turns_red={
            "trust.hosts-files-are-sound": Code.CONFIGURATION,
            "trust.missing-tag-is-called-not-found": Code.WRONG_REASON,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-resolves-a-name-that-nobody-holds",
        suite="trust",
        sabotage=Sabotage(lab_started=_resolve_a_name_that_nobody_holds),
        turns_red={"trust.unknown-name-is-not-resolved": Code.WRONG_REASON},
        subjects=NODE_2,
    ),
    Case(
        name="port-answers-that-should-be-closed",
        suite="trust",
        sabotage=Sabotage(lab_started=_listen_where_nobody_should),
        turns_red={"trust.closed-port-is-called-a-connection-failure": Code.WRONG_REASON},
        subjects=frozenset({"node-1", "node-2", "node-3"}),
    ),
)
