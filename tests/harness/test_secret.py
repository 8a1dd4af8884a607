from __future__ import annotations

from harness.secret import Credentials, Secret, new_password


def test_secret_shows_itself_only_when_revealed() -> None:
    secret = Secret("canary")
    credentials = Credentials("user", secret)
    assert "canary" not in f"{secret} {secret!r} {credentials} {credentials!r}"
    assert secret.reveal() == "canary"


def test_passwords_are_never_the_same() -> None:
    assert new_password() != new_password()


def test_password_with_a_beginning_fits_bcrypt() -> None:
    beginning = new_password()
    password = new_password(beginning).reveal()
    assert password.startswith(beginning.reveal())
    assert len(password) <= 72
