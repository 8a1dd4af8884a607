from __future__ import annotations

import tomllib

import pytest

from harness.lab.certs_d import authority_held, certs_d, hosts_file
from harness.scenario.model import RegistrySpec, TLSSpec
from tests.harness.lab.parts import AUTHORITY, registry

PLAIN = registry(RegistrySpec(name="plain"))
SECURE = registry(RegistrySpec(name="secure", tls=TLSSpec()))
MIRROR = registry(RegistrySpec(name="mirror", tls=TLSSpec(), mirror_of="plain"))
MUTUAL = registry(RegistrySpec(name="mutual", tls=TLSSpec(client_certificate="required")))
UNDECLARED = registry(RegistrySpec(name="undeclared", declared_on_nodes=False))

HOST = "registry.test:5000"
NOTHING = "server = 'https://registry.test:5000'"
AT_THE_ROOT = "ca = '/old'"
FOR_A_MIRROR = "[host.'https://mirror.test:5000']\nca = '/old'"
FOR_ITSELF = "[host.'https://registry.test:5000']\nca = '/new'"

FOLDER = f"/etc/containerd/certs.d/{SECURE.host}"


def test_plain_http_needs_one_file_that_says_so() -> None:
    (path, content), *others = certs_d([PLAIN]).items()

    assert path == hosts_file(PLAIN.host) == f"/etc/containerd/certs.d/{PLAIN.host}/hosts.toml"
    assert tomllib.loads(content.decode())["server"] == f"http://{PLAIN.host}"
    assert not others


def test_authority_lies_beside_the_file_that_names_it() -> None:
    files = certs_d([SECURE])

    assert files[f"{FOLDER}/ca.crt"] == AUTHORITY
    assert tomllib.loads(files[f"{FOLDER}/hosts.toml"].decode())["ca"] == f"{FOLDER}/ca.crt"


def test_client_certificate_comes_with_its_key() -> None:
    files = certs_d([MUTUAL])
    folder = f"/etc/containerd/certs.d/{MUTUAL.host}"
    pair = [f"{folder}/client.cert", f"{folder}/client.key"]

    assert tomllib.loads(files[f"{folder}/hosts.toml"].decode())["client"] == [pair]
    assert [files[path] for path in pair] == [b"a certificate", b"a key"]


def test_mirrors_of_docker_io_are_all_that_nodes_ask_for_its_images() -> None:
    specs = [RegistrySpec(name=name, mirror_of="docker.io") for name in ("first", "last")]
    first, last = (registry(spec) for spec in specs)
    files = certs_d([SECURE, first, last])
    document = tomllib.loads(files["/etc/containerd/certs.d/docker.io/hosts.toml"].decode())

    assert document["server"] == f"http://{last.host}"
    assert list(document["host"]) == [f"http://{first.host}", f"http://{last.host}"]
    assert hosts_file("docker.io") not in certs_d([SECURE, MIRROR, PLAIN])


def test_mirror_comes_before_its_origin() -> None:
    files = certs_d([PLAIN, MIRROR])

    hosts = tomllib.loads(files[hosts_file(PLAIN.host)].decode())["host"]
    assert list(hosts) == [f"https://{MIRROR.host}", f"http://{PLAIN.host}"]


def test_cache_comes_before_its_upstream() -> None:
    cache = registry(RegistrySpec(name="cache", proxy_of="plain"))
    hosts = tomllib.loads(certs_d([PLAIN, cache])[hosts_file(PLAIN.host)].decode())["host"]

    assert list(hosts) == [f"http://{cache.host}", f"http://{PLAIN.host}"]


def test_undeclared_registry_leaves_no_file() -> None:
    assert certs_d([UNDECLARED]) == {}


def test_node_holds_the_authority_that_its_file_names() -> None:
    assert authority_held(certs_d([SECURE]).get, SECURE.host) == AUTHORITY


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
