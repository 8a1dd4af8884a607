"""A replica is stopped, as for an upgrade, and comes back with a certificate that nobody takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.faults.certificates import expired_certificate, foreign_certificate
from harness.lab import ability
from harness.registry.protocols import StoresCertificate

if TYPE_CHECKING:
    from fixtures.drill import Drill


@pytest.mark.exclusive
@pytest.mark.failure_modes(11)
def test_replica_with_a_wrong_certificate_gets_no_connection(drill: Drill) -> None:
    """Pulls and pushes go on while a replica is stopped, and comes back expired, then foreign."""
    replica = drill.replicas[-1]
    presenting = ability(replica, StoresCertificate)
    drill.serve_beside(replica, expired_certificate(presenting), foreign_certificate(presenting))
