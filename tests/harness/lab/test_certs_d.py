from __future__ import annotations

import pytest

from harness.lab.certs_d import authority_held, hosts_file

HOST = "registry.test:5000"
NOTHING = "server = 'https://registry.test:5000'"
AT_THE_ROOT = "ca = '/old'"
FOR_A_MIRROR = "[host.'https://mirror.test:5000']\nca = '/old'"
FOR_ITSELF = "[host.'https://registry.test:5000']\nca = '/new'"


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (NOTHING, None),
        (AT_THE_ROOT, b"old"),
        (f"{NOTHING}\n{FOR_A_MIRROR}", None),
        (f"{AT_THE_ROOT}\n{FOR_ITSELF}", b"new"),
        ("ca = ", None),
        ("ca = '/not/there'", None),
    ],
)
def test_authority_is_that_of_the_host_that_is_asked_first(text: str, held: bytes | None) -> None:
    files = {hosts_file(HOST): text.encode(), "/old": b"old", "/new": b"new"}

    assert authority_held(files.get, HOST) == held


def test_node_without_the_registrys_file_holds_no_authority() -> None:
    files: dict[str, bytes] = {}

    assert authority_held(files.get, HOST) is None
