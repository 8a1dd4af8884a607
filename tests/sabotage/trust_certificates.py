"""Nodes and registries whose certificates are not what they should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import trustme

from harness.cluster.protocols import RuntimeAccess
from harness.findings import Code
from harness.hosts_toml import CERTS_D, Host
from harness.registry import distribution_config as config
from harness.registry.distribution import registry_names
from harness.scenario import kinds
from harness.trust import Authority
from tests.sabotage.breaking import (
    as_declared,
    configuration_folder,
    declare,
    distribution,
    node_2,
    restart_registry,
)
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.scenario.kinds import Kind
    from tests.sabotage.breaking import Document

NODE_2 = frozenset({"node-2"})
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
DAYS_LEFT = 3


def _trusting(kind: Kind, *, check: str) -> Case:
    """Turn verification off on node-2 for a registry that it must refuse."""

    def trust_whoever_answers(lab: Lab) -> None:
        host = lab.find(kind).host
        declare(node_2(lab), host, Host(f"https://{host}", skip_verify=True))

    return Case(
        name=f"node-skips-verification-where-{check}",
        suite="trust",
        sabotage=Sabotage(lab_started=trust_whoever_answers),
        turns_red={
            f"trust.{check}": Code.PULL_ACCEPTED,
            "trust.hosts-files-are-sound": Code.CONFIGURATION,
        },
        subjects=NODE_2,
    )


def _trust_the_authority_everywhere(lab: Lab) -> None:
    node_2(lab).write_file(BUNDLE, lab.primary.ca or b"")


def _leave_an_old_authority(lab: Lab) -> None:
    old = Authority.create("private-ca of last year").certificate_pem
    node_2(lab).write_file(_authority_file(lab.primary.host), old)


def _take_the_client_certificate_away(lab: Lab) -> None:
    registry = lab.find(kinds.CLIENT_CERTIFICATE)
    declare(node_2(lab), registry.host, replace(as_declared(registry), client=None))


def _serve_clients_without_certificates(lab: Lab) -> None:
    def ask_for_none(document: Document) -> None:
        tls = document["http"]["tls"]
        assert isinstance(tls, dict)
        del tls["clientcas"]

    restart_registry(lab.find(kinds.CLIENT_CERTIFICATE), ask_for_none)


def _let_a_certificate_end_soon(lab: Lab) -> None:
    """Renew the primary's certificate for three days, by an authority that all are given."""
    registry = distribution(lab.primary)
    authority = trustme.CA()
    soon = datetime.now(UTC) + timedelta(days=DAYS_LEFT)
    issued = authority.issue_cert(*registry_names(registry.spec), not_after=soon)
    folder = configuration_folder(registry)
    (folder / config.CERTIFICATE_FILE).write_bytes(issued.cert_chain_pems[0].bytes())
    (folder / config.KEY_FILE).write_bytes(issued.private_key_pem.bytes())
    certificate = authority.cert_pem.bytes()
    registry.handle = replace(registry.handle, authority=certificate)
    registry.restart()
    for node in lab.nodes:
        assert isinstance(node, RuntimeAccess)
        node.write_file(_authority_file(registry.host), certificate)


def _authority_file(host: str) -> str:
    return f"{CERTS_D}/{host}/ca.crt"


CASES = (
    _trusting(kinds.UNKNOWN_CA, check="unknown-ca-is-refused"),
    _trusting(kinds.certified("expired"), check="expired-certificate-is-refused"),
    _trusting(kinds.certified("not-yet-valid"), check="not-yet-valid-certificate-is-refused"),
    _trusting(kinds.certified("wrong-name"), check="wrong-name-is-refused"),
    Case(
        name="node-trusts-the-authority-for-all-hosts",
        suite="trust",
        sabotage=Sabotage(lab_started=_trust_the_authority_everywhere),
        turns_red={"trust.private-ca-is-accepted": Code.PULL_ACCEPTED},
        subjects=NODE_2,
    ),
    Case(
        name="node-keeps-an-old-authority",
        suite="trust",
        sabotage=Sabotage(lab_started=_leave_an_old_authority),
        turns_red={
            "trust.private-ca-is-accepted": Code.PULL_FAILED,
            "trust.nodes-hold-the-authority-in-use": Code.CERTIFICATE,
            "trust.missing-tag-is-called-not-found": Code.WRONG_REASON,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-lacks-its-client-certificate",
        suite="trust",
        sabotage=Sabotage(lab_started=_take_the_client_certificate_away),
        turns_red={"trust.client-certificate-is-presented": Code.PULL_FAILED},
        subjects=NODE_2,
    ),
    Case(
        name="registry-serves-clients-without-certificates",
        suite="trust",
        sabotage=Sabotage(lab_started=_serve_clients_without_certificates),
        turns_red={"trust.client-certificate-is-presented": Code.PULL_ACCEPTED},
        subjects=frozenset({"client-certificate.pullproof.test:5000"}),
    ),
    Case(
        name="certificate-ends-soon",
        suite="trust",
        sabotage=Sabotage(lab_started=_let_a_certificate_end_soon),
        turns_red={"trust.certificates-have-days-left": Code.CERTIFICATE},
        subjects=frozenset({"primary.pullproof.test:5000"}),
    ),
)
