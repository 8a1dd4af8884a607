from __future__ import annotations

import pytest

from harness.hosts_toml import CERTS_D, Rule, lint

SOUND = b'server = "https://r.test:1"\n[host."https://r.test:1"]\n'


def rules(*paths: str) -> list[tuple[Rule, str]]:
    """Return the traps among files with a sound content, by rule and path below the root."""
    found = lint({f"{CERTS_D}/{path}": SOUND for path in paths})
    assert all(finding.remedy and finding.line is None for finding in found)
    assert all(finding.where == finding.path for finding in found)
    return [(finding.rule, finding.path.removeprefix(f"{CERTS_D}/")) for finding in found]


@pytest.mark.parametrize(
    "folder",
    [
        "registry.example.test",
        "registry.example.test:5000",
        "registry.example.test_5000_",
        "registry:5000",
        "registry_5000_",
        "localhost",
        "Registry",
        "10.0.0.1:5000",
        "[fd00::1]:5000",
        "[fd00::1]_5000_",
        "docker.io",
        "_default",
    ],
)
def test_folder_that_an_image_leads_to_is_sound(folder: str) -> None:
    assert rules(f"{folder}/hosts.toml", f"{folder}/ca.crt", f"{folder}/hosts.key") == []


@pytest.mark.parametrize(
    "folder",
    [
        "https:",
        "https:__registry.example.test",
        "https___registry.example.test",
        "registry.example.test_5000",
        "registry.example.test:",
        "default",
        "_default_",
        "registry",
        "index.docker.io",
        "*.example.test",
    ],
)
def test_folder_that_no_image_leads_to_is_found(folder: str) -> None:
    assert rules(f"{folder}/hosts.toml") == [(Rule.FOLDER_NEVER_MATCHES, f"{folder}/hosts.toml")]


def test_scheme_in_a_folder_name_is_explained() -> None:
    [found] = lint({f"{CERTS_D}/https:/registry.test:5000/hosts.toml": SOUND})
    assert found.rule is Rule.FOLDER_NEVER_MATCHES
    assert found.remedy == f"move it to {CERTS_D}/registry.test:5000/hosts.toml"


@pytest.mark.parametrize("path", ["hosts.toml", "docker.io/library/hosts.toml"])
def test_file_that_containerd_looks_for_elsewhere_is_found(path: str) -> None:
    assert rules(path) == [(Rule.MISPLACED_FILE, path)]


@pytest.mark.parametrize(
    "name", ["host.toml", "Hosts.toml", "config.toml", "hosts", "hosts.yaml", "hosts.toml.bak"]
)
def test_wrong_file_name_is_found(name: str) -> None:
    assert rules(f"docker.io/{name}") == [(Rule.WRONG_FILE_NAME, f"docker.io/{name}")]


@pytest.mark.parametrize("name", ["ca.crt", "client.cert", "host.key", "ca.pem", "README"])
def test_other_files_are_let_be(name: str) -> None:
    assert rules(f"docker.io/{name}") == []


def test_second_folder_of_a_registry_is_found() -> None:
    found = rules("r.test:5000/hosts.toml", "r.test_5000_/hosts.toml", "r.test_5001_/hosts.toml")
    assert found == [(Rule.SHADOWED_FOLDER, "r.test:5000/hosts.toml")]


def test_another_root_can_be_searched() -> None:
    files = {"/etc/docker/certs.d/default/hosts.toml": SOUND}
    assert [finding.rule for finding in lint(files, root="/etc/docker/certs.d")] == [
        Rule.FOLDER_NEVER_MATCHES
    ]
