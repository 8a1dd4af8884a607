"""Registries of the provider `existing`: somebody else's, reached where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.distribution_api import DistributionAPI, Endpoint, MachineTrust, TrustedAuthority
from harness.scenario.files import read_authority, read_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from harness.distribution_api.transport import Trust
    from harness.scenario.model import RegistrySpec
    from harness.secret import Credentials


@dataclass(frozen=True)
class ExistingRegistry:
    """A registry that we only talk to; it can do no more than the protocol says.

    Plain data, so that it can be sent to another process as it is. `ca` is the authority (PEM)
    that the scenario names, None over plain HTTP and where this machine is to judge.
    """

    spec: RegistrySpec
    host: str
    credentials: Credentials | None
    ca: bytes | None

    @property
    def endpoint(self) -> Endpoint:
        """Where this machine reaches it, and whom to trust there.

        Without an `address` its name is resolved as any other.
        """
        trust: Trust | None = None
        if self.spec.secure:
            trust = TrustedAuthority(self.ca) if self.ca else MachineTrust()
        address, _, port = (self.spec.address or "").partition(":")
        return Endpoint(
            self.host,
            address or self.host.partition(":")[0],
            trust,
            address_port=int(port) if port else None,
        )

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client that verifies the registry's certificate; ours unless told otherwise."""
        return DistributionAPI(self.endpoint, credentials or self.credentials)

    def collect_logs(self, into: Path) -> None:
        """Write nothing: its log is its operator's."""


def existing_registry(spec: RegistrySpec) -> ExistingRegistry:
    """Return a registry as its files describe it; nothing is sent to it.

    Raises HarnessError when a file cannot be used.
    """
    host = spec.host or ""  # the scenario's rules ask for one
    return ExistingRegistry(spec, host, read_credentials(spec), read_authority(spec))
