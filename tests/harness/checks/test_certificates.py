from __future__ import annotations

from datetime import timedelta

import pytest

from harness import checks
from harness.findings import Code
from harness.trust import Authority, certificate_facts

HOST = "registry.test:5000"
OURS, OTHER = Authority.create("ours"), Authority.create("other")
SERVED = OURS.issue("registry.test").certificate_pem


@pytest.mark.parametrize("days_before", [15, 14])
def test_certificate_with_days_left_is_sound(days_before: int) -> None:
    facts = certificate_facts(SERVED)
    now = facts.not_after - timedelta(days=days_before)

    assert checks.has_days_left(HOST, facts, minimum=14, now=now) == ()


def test_certificate_that_ends_soon_is_found() -> None:
    facts = certificate_facts(SERVED)
    now = facts.not_after - timedelta(days=13, hours=23)

    (finding,) = checks.has_days_left(HOST, facts, minimum=14, now=now)

    assert (finding.code, finding.subject) == (Code.CERTIFICATE, HOST)
    assert "13 days from now" in finding.evidence


def test_certificate_is_compared_with_today() -> None:
    (finding,) = checks.has_days_left(HOST, certificate_facts(SERVED), minimum=100_000)

    assert finding.code is Code.CERTIFICATE


def test_authority_that_signed_is_sound_also_beside_another() -> None:
    both = OTHER.certificate_pem + OURS.certificate_pem

    assert checks.authority_signs("node-1", HOST, both, SERVED) == ()


@pytest.mark.parametrize("held", [None, OTHER.certificate_pem])
def test_missing_or_other_authority_is_found(held: bytes | None) -> None:
    (finding,) = checks.authority_signs("node-1", HOST, held, SERVED)

    assert (finding.code, finding.subject) == (Code.CERTIFICATE, "node-1")
    assert HOST in finding.evidence


def test_authority_of_the_same_name_with_another_key_is_found() -> None:
    renewed = Authority.create("ours")

    assert checks.authority_signs("node-1", HOST, renewed.certificate_pem, SERVED)


def test_client_without_certificate_must_be_refused() -> None:
    (finding,) = checks.refuses_anonymous_clients(HOST, "")

    assert (finding.code, finding.subject) == (Code.PULL_ACCEPTED, HOST)
    assert checks.refuses_anonymous_clients(HOST, "certificate required") == ()
