"""Certificates: the private authority is accepted by configuration, every flaw is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.cluster.protocols import RuntimeAccess
from harness.diagnosis import FailureCode
from harness.lab import ability
from harness.lab.certs_d import authority_held
from harness.registry.protocols import (
    HasUndeclaredName,
    KeepsAccessLog,
    PresentsCertificate,
    RequiresClientCertificate,
)
from harness.scenario import kinds
from harness.trust import certificate_facts

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.findings import Finding
    from harness.lab import Lab

MINIMUM_DAYS = 14
"""A certificate with fewer days left may end before its renewal is planned and done."""


@pytest.mark.failure_modes(5)
def test_private_ca_is_accepted(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """Every node pulls over TLS signed by the private authority, because it was told to."""
    registry = lab.find(kinds.certified("valid"))
    log = ability(registry, KeepsAccessLog)
    image = publish(registry)
    mark = log.mark()
    pulls = pull(image.reference, registry.credentials)
    judge(checks.all_succeeded(pulls))
    judge(checks.served_by(log.requests_since(mark), image.repository, lab.nodes))
    # The control: under a name that no node is configured for, the same server must be refused,
    # or nodes trust it for another reason than their hosts.toml.
    undeclared = image.at(ability(registry, HasUndeclaredName).undeclared_host)
    judge(checks.all_refused(pull(undeclared, registry.credentials), FailureCode.TLS_UNKNOWN_CA))


def test_unknown_ca_is_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """No node accepts a certificate of an authority that it was never given."""
    image = publish(lab.find(kinds.UNKNOWN_CA))
    judge(checks.all_refused(pull(image.reference), FailureCode.TLS_UNKNOWN_CA))


def test_expired_certificate_is_refused(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """No node accepts a certificate of the right authority after its last day."""
    image = publish(lab.find(kinds.certified("expired")))
    judge(checks.all_refused(pull(image.reference), FailureCode.TLS_EXPIRED))


def test_not_yet_valid_certificate_is_refused(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """No node accepts a certificate of the right authority before its first day."""
    image = publish(lab.find(kinds.certified("not-yet-valid")))
    judge(checks.all_refused(pull(image.reference), FailureCode.TLS_NOT_YET_VALID))


def test_wrong_name_is_refused(lab: Lab, publish: Publish, pull: Pull, judge: Judge) -> None:
    """No node accepts a certificate of the right authority that names another host."""
    image = publish(lab.find(kinds.certified("wrong-name")))
    judge(checks.all_refused(pull(image.reference), FailureCode.TLS_WRONG_NAME))


@pytest.mark.failure_modes(5)
def test_client_certificate_is_presented(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """Nodes present their client certificate to a registry that refuses everybody else."""
    registry = lab.find(kinds.CLIENT_CERTIFICATE)
    log = ability(registry, KeepsAccessLog)
    anonymous = ability(registry, RequiresClientCertificate).refusal_without_certificate()
    image = publish(registry)
    mark = log.mark()
    judge(checks.all_succeeded(pull(image.reference)))
    judge(checks.served_by(log.requests_since(mark), image.repository, lab.nodes))
    judge(checks.refuses_anonymous_clients(registry.host, anonymous))


@pytest.mark.failure_modes(11)
def test_certificates_have_days_left(lab: Lab, judge: Judge) -> None:
    """What each trusted registry presents in its handshake is valid for days to come."""
    found: list[Finding] = []
    for registry in lab.find_all(kinds.certified("valid")):
        served = certificate_facts(ability(registry, PresentsCertificate).served_certificate())
        found += checks.has_days_left(registry.host, served, minimum=MINIMUM_DAYS)
    judge(found)


@pytest.mark.failure_modes(11)
def test_nodes_hold_the_authority_in_use(lab: Lab, judge: Judge) -> None:
    """The authority in each node's configuration is the one that signs what is served today."""
    found: list[Finding] = []
    for registry in lab.find_all(kinds.certified("valid")):
        served = ability(registry, PresentsCertificate).served_certificate()
        for node in lab.nodes:
            held = authority_held(ability(node, RuntimeAccess).read_file, registry.host)
            found += checks.authority_signs(node.name, registry.host, held, served)
    judge(found)
