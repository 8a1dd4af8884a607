"""Values that must never be seen in any output."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Secret:
    """A secret text; its representation hides it, `reveal()` gives it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the text itself, for the one call that needs it."""
        return self._value

    def __str__(self) -> str:
        return "<secret>"


def new_password(beginning: Secret | None = None) -> Secret:
    """Return a password that nobody has used before: `beginning`, then 128 random bits.

    Passwords with one secret beginning are all found in outputs by looking for that. One that
    begins with another stays below the 72 bytes that bcrypt takes.
    """
    return Secret((beginning.reveal() if beginning else "") + secrets.token_hex(16))


@dataclass(frozen=True)
class Credentials:
    """A user name and its password, as a registry or the CRI takes them."""

    username: str
    password: Secret


@dataclass(frozen=True)
class KeyPair:
    """A certificate with what follows it in its chain (PEM), and its private key (PEM)."""

    certificate_pem: bytes = field(repr=False)
    key_pem: Secret
