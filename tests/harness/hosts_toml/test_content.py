from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.hosts_toml import CERTS_D, LintFinding, Rule, lint

FOLDER = f"{CERTS_D}/r.test:5000"
FILE = f"{FOLDER}/hosts.toml"
HEAD = 'server = "https://r.test:5000"\n[host."https://r.test:5000"]\n'
CA = {f"{FOLDER}/ca.crt": b"", f"{FOLDER}/client.cert": b"", f"{FOLDER}/client.key": b""}


def findings(text: str | bytes, *, version: str = "") -> tuple[LintFinding, ...]:
    content = text.encode() if isinstance(text, str) else text
    found = lint({FILE: content, **CA}, version=version)
    assert all(finding.path == FILE and finding.remedy for finding in found)
    return found


def traps(text: str | bytes, *, version: str = "") -> list[tuple[Rule, int | None]]:
    return [(finding.rule, finding.line) for finding in findings(text, version=version)]


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        f"{HEAD}capabilities = []\n",
        f'{HEAD}capabilities = ["pull", "Resolve", "PUSH"]\n',
        f'ca = "ca.crt"\n{HEAD}ca = "{FOLDER}/ca.crt"\n',
        f'ca = ["ca.crt"]\n{HEAD}ca = ["./ca.crt", "/etc/ssl/nowhere.crt"]\n',
        f'client = "client.cert"\n{HEAD}client = [["client.cert", "client.key"], "client.cert"]\n',
        f'client = [["client.cert", ""]]\n{HEAD}',
        f"{HEAD}skip_verify = false\noverride_path = true\n",
        f'{HEAD}dial_timeout = "1m2.5s"\nproxy = "http://proxy.test:8080"\n',
        f'{HEAD}dial_timeout = ""\n',
        f'{HEAD}[host."https://r.test:5000".header]\nx-a = "b"\nx-b = ["c", "d"]\n',
        '[host."http://r.test:5000"]\n',
        'ca = "ca.crt"\n[host."https://mirror.test"]\nca = "ca.crt"\n',
        'server = "https://registry-1.docker.io"\n[host."https://mirror.test"]\nca = "ca.crt"\n',
        'server = "http://r.test:80"\nskip_verify = false\n[host."http://r.test:80"]\n',
        "server = 'https://r.test:5000/v2/sub'\n[host.'https://r.test:5000/v2']\n",
    ],
)
def test_sound_file_has_no_traps(text: str) -> None:
    assert findings(text) == ()


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ('server = "https://r.test\n', Rule.SYNTAX, 1),
        (f"{HEAD}ca = \n", Rule.SYNTAX, 3),
        (f"{HEAD}{HEAD}", Rule.SYNTAX, 4),
        (b"\xff\n", Rule.SYNTAX, None),
        ("a = " + "[" * 5000, Rule.SYNTAX, None),
        ("", Rule.NO_HOST_TABLE, None),
        ('server = "https://r.test:5000"\n', Rule.NO_HOST_TABLE, None),
        (f"{HEAD}Capabilities = []\n", Rule.UNKNOWN_KEY, 3),
        (f"{HEAD}insecure_skip_verify = true\n", Rule.UNKNOWN_KEY, 3),
        (f"cacert = 3\n{HEAD}", Rule.UNKNOWN_KEY, 1),
        (f'{HEAD}[host."https://r.test:5000".host."https://x.test"]\n', Rule.UNKNOWN_KEY, None),
        (f'{HEAD}server = "https://x.test"\n', Rule.SERVER_IN_HOST, 3),
        (f'{HEAD}capabilities = ["pull", "fetch"]\n', Rule.UNKNOWN_CAPABILITY, 3),
        (f'capabilities = [\n  "pul",\n]\n{HEAD}', Rule.UNKNOWN_CAPABILITY, 1),
        (f'{HEAD}capabilities = "pull"\n', Rule.WRONG_TYPE, 3),
        (f"{HEAD}capabilities = [1]\n", Rule.WRONG_TYPE, 3),
        (f'{HEAD}skip_verify = "true"\n', Rule.WRONG_TYPE, 3),
        (f"{HEAD}ca = 1\n", Rule.WRONG_TYPE, 3),
        (f"{HEAD}ca = [1]\n", Rule.WRONG_TYPE, 3),
        (f"{HEAD}client = 1\n", Rule.WRONG_TYPE, 3),
        (f'{HEAD}client = [["a"]]\n', Rule.WRONG_TYPE, 3),
        (f"{HEAD}client = [1]\n", Rule.WRONG_TYPE, 3),
        (f"{HEAD}header = 1\n", Rule.WRONG_TYPE, 3),
        (f"{HEAD}header = {{ a = 1 }}\n", Rule.WRONG_TYPE, 3),
        (f"{HEAD}override_path = 1\n", Rule.WRONG_TYPE, 3),
        (f'{HEAD}dial_timeout = "5"\n', Rule.WRONG_TYPE, 3),
        (f"{HEAD}dial_timeout = 5\n", Rule.WRONG_TYPE, 3),
        (f"{HEAD}proxy = 5\n", Rule.WRONG_TYPE, 3),
        ('server = 3\n[host."https://r.test:5000"]\n', Rule.WRONG_TYPE, 1),
        (f'{HEAD}\nca = "ca.crt"\n', Rule.ONLY_IN_HOST, 4),
        ('[host."https://r.test:5000"]\nclient = "client.cert"\n', Rule.ONLY_IN_HOST, 2),
        (f"{HEAD}skip_verify = true\n", Rule.SKIP_VERIFY, 3),
        (f"skip_verify = true\n{HEAD}", Rule.SKIP_VERIFY, 1),
        ('[host."http://r.test:5000"]\nskip_verify = true\n', Rule.HTTP_WITH_TLS, 2),
        ('[host."http://r.test"]\nskip_verify = false\n', Rule.HTTP_WITH_TLS, 2),
        ('[host."http://r.test:5000"]\nca = "ca.crt"\n', Rule.HTTP_WITH_TLS, 2),
        (f'ca = "ca.crt"\n{HEAD.replace("s://", "://")}', Rule.HTTP_WITH_TLS, 1),
        ('[host."r.test:5000"]\n', Rule.MISSING_SCHEME, 1),
        (f'server = "r.test"\n{HEAD[HEAD.index("[") :]}', Rule.MISSING_SCHEME, 1),
        ('[host."httpd.test:5000"]\n', Rule.BAD_URL, 1),
        ('[host."https://"]\n', Rule.BAD_URL, 1),
        ('[host."https://r.test:port"]\n', Rule.BAD_URL, 1),
        ('[host."https://[r.test"]\n', Rule.BAD_URL, 1),
        (f'{HEAD}[host."https://other.test"]\nca = "other.crt"\n', Rule.MISSING_FILE, 4),
        (f'client = [["client.cert", "no.key"]]\n{HEAD}', Rule.MISSING_FILE, 1),
        (f'ca = "{CERTS_D}/ca.crt"\n{HEAD}', Rule.MISSING_FILE, 1),
    ],
)
def test_trap_is_found_on_its_line(text: str | bytes, rule: Rule, line: int | None) -> None:
    assert traps(text) == [(rule, line)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host = 3\n", [(Rule.WRONG_TYPE, 1), (Rule.NO_HOST_TABLE, None)]),
        ("[host]\nca = 3\n", [(Rule.WRONG_TYPE, None), (Rule.NO_HOST_TABLE, None)]),
        ('[host.""]\n', [(Rule.MISSING_SCHEME, 1), (Rule.BAD_URL, 1)]),
    ],
)
def test_file_may_hold_several_traps(text: str, expected: list[tuple[Rule, int | None]]) -> None:
    assert traps(text) == expected


def test_same_key_is_found_in_its_own_section() -> None:
    text = (
        'ca = "ca.crt"\n[header]\nca = "x"\n'
        '[host."https://a.test"]\nca = "ca.crt"\n[host."https://a.test".header]\nca = "x"\n'
        '[host."https://b.test"]\nclient = [\n  ["client.cert", "client.key"],\n]\nca = "b.crt"\n'
    )
    [found] = findings(text)
    assert found.rule is Rule.MISSING_FILE
    assert found.where == f"{FILE}:12"
    assert f"{FOLDER}/b.crt" in found.problem


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.6.20", 1), ("1.7.24", 1), ("", 1), ("unknown", 1), ("2.1.9", 0), ("v2.0.0", 0)],
)
@pytest.mark.parametrize("text", [HEAD + 'ca = "ca.crt"\n', 'server = "https://r.test:5000"\n'])
def test_traps_of_first_releases_are_left_out_later(text: str, version: str, expected: int) -> None:
    assert len(traps(text, version=version)) == expected


def test_server_left_out_is_the_registry_of_the_folder() -> None:
    content = b'[host."https://r.test:5000"]\nca = "/ca.crt"\n'
    files = {f"{CERTS_D}/{name}/hosts.toml": content for name in ("r.test_5000_", "_default")}
    [found] = lint(files)
    assert found.rule is Rule.ONLY_IN_HOST
    assert "r.test_5000_" in found.path


@settings(deadline=None, max_examples=80, database=None)
@given(
    content=st.binary(max_size=60) | st.text("[]host.\"'=caserv\n 1:/", max_size=60).map(str.encode)
)
def test_any_content_is_judged(content: bytes) -> None:
    assert all(finding.problem for finding in lint({FILE: content}))
