"""How a registry is reached, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from harness.distribution_api import DistributionAPI, Endpoint
    from harness.scenario.model import RegistrySpec
    from harness.secret import Credentials, Secret


@runtime_checkable
class Registry(Protocol):
    """A registry that speaks the OCI distribution protocol."""

    @property
    def spec(self) -> RegistrySpec:
        """What the scenario says of it."""
        ...

    @property
    def host(self) -> str:
        """Host and port as they stand in image references."""
        ...

    @property
    def credentials(self) -> Credentials | None:
        """Credentials that may pull and push; None where the registry asks for none."""
        ...

    @property
    def ca(self) -> bytes | None:
        """The certificate (PEM) of the authority that signed it; None over plain HTTP."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """Where this machine reaches it now, and whom to trust there."""
        ...

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client that verifies the registry's certificate; ours unless told otherwise."""
        ...

    def collect_logs(self, into: Path) -> None:
        """Write what the registry logged to files below `into`."""
        ...


@runtime_checkable
class HasUndeclaredName(Protocol):
    """Ability of a registry: it answers to a second name that no node is configured for.

    Its certificate is valid for that name too, so only the configuration tells the two apart:
    the control that proves where a node's trust comes from.
    """

    @property
    def undeclared_host(self) -> str:
        """Host and port under the second name."""
        ...


@runtime_checkable
class ChangesCredentials(Protocol):
    """Ability of a registry: accounts can be set while it runs."""

    def set_password(self, username: str, password: Secret) -> None:
        """Create the account or replace its password; in force for the next request."""
        ...

    def remove_account(self, username: str) -> None:
        """Remove the account; no longer accepted by the next request."""
        ...
