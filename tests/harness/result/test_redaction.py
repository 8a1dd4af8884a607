from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.result.redaction import MARK, Redactor
from harness.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = 'pä"ss/w+rd <&> \\canary?'


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text[: len(text) // 4 * 4]).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "base64": encoded,
    "base64-unpadded": lambda secret: encoded(secret).rstrip("="),
    "base64-urlsafe": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "url": lambda secret: quote(secret, safe=""),
    "url-lower-case": lambda secret: re.sub(
        "%..", lambda code: code[0].lower(), quote(secret, safe="")
    ),
    "form": quote_plus,
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json-readable": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "json-go": lambda secret: (
        json.dumps(secret, ensure_ascii=False)[1:-1]
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    ),
    "html": html.escape,
}


@pytest.mark.parametrize("form", FORMS)
def test_secret_is_replaced_in_every_form(form: str) -> None:
    hidden = FORMS[form](CANARY)
    redactor = Redactor([Secret(CANARY)])

    assert redactor.clean(f"before {hidden} after") == f"before {MARK} after"
    assert redactor.clean_bytes(f"<{hidden}>".encode()) == f"<{MARK}>".encode()


@pytest.mark.parametrize("user", ["u", "us", "use", "user"])
@pytest.mark.parametrize("secret", ["secret-7", "secret-77", "secret-777"])
def test_base64_of_user_and_password_is_replaced(user: str, secret: str) -> None:
    redactor = Redactor([Secret(secret)])

    cleaned = redactor.clean(f"Authorization: Basic {encoded(f'{user}:{secret}')}, next")

    before, after = cleaned.split(MARK)
    assert after == ", next"
    assert decoded(before.removeprefix("Authorization: Basic ")) in f"{user}:"


def test_password_inside_an_encoded_docker_configuration_is_replaced() -> None:
    secret = "correct-horse-battery"
    auth = encoded(f"puller:{secret}")
    document = json.dumps({"auths": {"registry.test": {"password": secret, "auth": auth}}})

    cleaned = Redactor([Secret(secret)]).clean(f"data: {encoded(document)}")

    assert cleaned.count(MARK) == 2
    assert encoded(document)[-8:] in cleaned
    assert encoded(document)[:8] in cleaned


def test_longer_of_two_secrets_wins() -> None:
    redactor = Redactor([Secret("canary"), Secret("canary-two")])

    assert redactor.clean("canary-two canary") == f"{MARK} {MARK}"


def test_empty_secret_and_no_secret_change_nothing() -> None:
    assert Redactor([Secret("")]).clean("text") == "text"
    assert Redactor([]).clean_bytes(b"\xff\x00") == b"\xff\x00"


def test_short_secret_does_not_hit_parts_of_other_base64() -> None:
    text = encoded("nothing to hide in here but length")

    assert Redactor([Secret("ab")]).clean(text) == text


@settings(deadline=None, derandomize=True, database=None)
@given(
    parts=st.lists(st.sampled_from(["canary-1", "canary-12", encoded("u:canary-1"), "x", "--"])),
    size=st.integers(1, 40),
)
def test_stream_is_cleaned_as_the_whole_is(parts: list[str], size: int) -> None:
    whole = " ".join(parts).encode()
    redactor = Redactor([Secret("canary-1"), Secret("canary-12")])

    chunks = (whole[start : start + size] for start in range(0, len(whole), size))

    assert b"".join(redactor.clean_chunks(chunks)) == redactor.clean_bytes(whole)


def test_secret_that_is_learnt_later_is_replaced_as_well() -> None:
    redactor = Redactor([Secret("first-secret")])
    text = f"first-secret {encoded('second-secret')}"
    before = redactor.clean(text)

    redactor.learn(Secret("second-secret"))

    assert before == f"{MARK} {encoded('second-secret')}"
    assert redactor.clean(text) == f"{MARK} {MARK}"
