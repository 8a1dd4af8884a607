"""Nodes that bring other credentials than those of the pull, take them elsewhere, or tell them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.lab import ability, credentials_of
from harness.lab.certs_d import hosts_file
from harness.registry.protocols import ChangesCredentials
from harness.scenario import kinds
from harness.secret import Credentials
from tests.sabotage.breaking import (
    as_declared,
    change_runtime_config,
    declare,
    node_2,
    restart_runtime,
)
from tests.sabotage.case import Case
from tests.sabotage.pull_secrets_accounts import REFUSALS
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.cluster.containerd_node import ContainerdNode
    from harness.lab import Lab

NODE_2 = frozenset({"node-2"})
RUNTIME = "/usr/bin/containerd"
NEEDING_SUCCESS = (
    "right-credentials-pull",
    "rotated-password-replaces-the-old-one",
    "revoked-account-is-refused",
    "cached-image-does-not-mask-a-wrong-password",
    "passwords-stay-out-of-runtime-logs",
    "matching-keys-pull",
)


def _bring_credentials(node: ContainerdNode, origin: str, host: str, own: Credentials) -> None:
    """Let a node send credentials of its own with each request to one host of a registry."""
    pair = base64.b64encode(f"{own.username}:{own.password.reveal()}".encode()).decode()
    header = f'\n[host."https://{host}".header]\n  Authorization = "Basic {pair}"\n'
    text = node.read_file(hosts_file(origin)) or b""
    node.write_file(hosts_file(origin), text + header.encode())


def _give_the_node_an_account(lab: Lab) -> None:
    own = Credentials("node-2", lab.new_password())
    ability(lab.primary, ChangesCredentials).set_password(own.username, own.password)
    _bring_credentials(node_2(lab), lab.primary.host, lab.primary.host, own)


def _give_the_node_the_mirrors_credentials(lab: Lab) -> None:
    origin, mirror = lab.privately_mirrored()
    _bring_credentials(node_2(lab), origin.host, mirror.host, credentials_of(mirror))


def _configure_credentials(lab: Lab) -> None:
    """Put credentials into containerd's own configuration: used where a pull brings none."""
    known = credentials_of(lab.primary)
    table = f'[plugins."io.containerd.grpc.v1.cri".registry.configs."{lab.primary.host}".auth]'
    user, password = json.dumps(known.username), json.dumps(known.password.reveal())
    auth = f"\n{table}\n  username = {user}\n  password = {password}\n"
    change_runtime_config(node_2(lab), lambda text: text + auth)
    restart_runtime(node_2(lab))


def _lead_to_another_registry(lab: Lab) -> None:
    registry, other = lab.find_two(kinds.WITH_ACCOUNTS)
    declare(node_2(lab), registry.host, as_declared(other))


def _leave_the_private_mirror_out(lab: Lab) -> None:
    origin, first, _ = lab.mirrored()
    declare(node_2(lab), origin.host, as_declared(origin), as_declared(first))


def _log_what_is_received(lab: Lab) -> None:
    """Start the runtime as one does to debug gRPC: each frame goes to its log."""
    node = node_2(lab)
    assert node.execute(["mv", RUNTIME, f"{RUNTIME}-itself"]).status == 0
    start = f'#!/bin/sh\nGODEBUG=http2debug=2 exec {RUNTIME}-itself "$@"\n'
    node.write_file(RUNTIME, start.encode())
    assert node.execute(["chmod", "755", RUNTIME]).status == 0
    restart_runtime(node)


CASES = (
    Case(
        name="node-brings-an-account-of-its-own",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_give_the_node_an_account),
        turns_red={
            "pull_secrets.right-credentials-pull": Code.WRONG_PATH,
            **{f"pull_secrets.{check}": Code.PULL_ACCEPTED for check in REFUSALS},
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-has-credentials-in-its-configuration",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_configure_credentials),
        turns_red={
            "pull_secrets.absent-credentials-are-refused": Code.PULL_ACCEPTED,
            "pull_secrets.mismatched-keys-are-refused": Code.PULL_ACCEPTED,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-takes-credentials-to-another-registry",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_lead_to_another_registry),
        turns_red={
            **{f"pull_secrets.{check}": Code.PULL_FAILED for check in NEEDING_SUCCESS},
            "pull_secrets.credentials-of-another-registry-are-refused": Code.WRONG_REASON,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-lacks-the-private-mirror",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_leave_the_private_mirror_out),
        turns_red={
            "pull_secrets.private-mirror-takes-its-own-credentials": Code.PULL_FAILED,
            "pull_secrets.private-mirror-refuses-the-origins-credentials": Code.WRONG_PATH,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-brings-the-mirrors-credentials",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_give_the_node_the_mirrors_credentials),
        turns_red={"pull_secrets.private-mirror-refuses-the-origins-credentials": Code.WRONG_PATH},
        subjects=NODE_2,
    ),
    Case(
        name="node-logs-what-it-receives",
        suite="pull_secrets",
        sabotage=Sabotage(lab_started=_log_what_is_received),
        turns_red={"pull_secrets.passwords-stay-out-of-runtime-logs": Code.SECRET_EXPOSED},
        subjects=NODE_2,
    ),
)
