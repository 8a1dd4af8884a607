from __future__ import annotations

import pytest

from harness.hosts_toml import CERTS_D, Rule, lint_pull_path, lint_runtime_config

FIRST = '[plugins."io.containerd.grpc.v1.cri".registry]\n'
SECOND = '[plugins."io.containerd.cri.v1.images".registry]\n'
IMAGES = '[plugins."io.containerd.cri.v1.images"]\n'
SET = f'config_path = "{CERTS_D}"\n'
BOTH = f'config_path = "{CERTS_D}:/etc/docker/certs.d"\n'


def traps(text: str, version: str = "1.7.24") -> list[Rule]:
    found = lint_runtime_config(text, version)
    assert all(finding.problem and finding.remedy for finding in found)
    assert all(finding.path == "containerd's configuration" for finding in found)
    return [finding.rule for finding in found]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (FIRST + SET, "1.6.20"),
        (f"[plugins.cri.registry]\n{SET}", "1.6.20"),
        (SECOND + SET, "2.1.9"),
        (SECOND + f'config_path = "{CERTS_D}/"\n', "2.1.9"),
        (f'[plugins."io.containerd.grpc.v1.cri"]\nstream_server_port = "0"\n{SECOND}{SET}', "2.1"),
        (FIRST + BOTH, "1.7.24"),
        (SECOND + BOTH, "2.0.5"),
        (f"{IMAGES}use_local_image_pull = true\n{SECOND}{BOTH}", "2.2.0"),
        (f"{IMAGES}discard_unpacked_layers = true\n{SECOND}{BOTH}", "2.1.4"),
        (f"{FIRST}{SET}[plugins.'io.containerd.grpc.v1.cri'.registry.mirrors]\n", "1.7.24"),
        (f"{FIRST}{SET}[plugins.'io.containerd.grpc.v1.cri'.registry.configs.a.auth]\n", "1.7"),
    ],
)
def test_configuration_that_is_read_has_no_traps(text: str, version: str) -> None:
    assert traps(text, version) == []


@pytest.mark.parametrize("version", ["1.6.20", "1.7.24", "2.1.9"])
@pytest.mark.parametrize(
    "text",
    ["", "version = 2\n", "plugins = 3\n", FIRST, SECOND + 'config_path = ""\n', "plugins.cri = 1"],
)
def test_empty_config_path_is_found(text: str, version: str) -> None:
    assert traps(text, version) == [Rule.CONFIG_PATH_EMPTY]


@pytest.mark.parametrize("version", ["2.1.9", "2.2.0", "3.0", "unknown"])
def test_list_of_folders_under_the_transfer_service_is_found(version: str) -> None:
    assert traps(SECOND + BOTH, version) == [Rule.CONFIG_PATH_LIST]


def test_folder_that_is_not_read_is_found() -> None:
    text = FIRST + 'config_path = "/etc/docker/certs.d"\n'
    assert traps(text) == [Rule.CONFIG_PATH_ELSEWHERE]
    assert lint_runtime_config(text, "1.7.24", root="/etc/docker/certs.d") == ()


def test_mirrors_instead_of_hosts_files_are_found() -> None:
    text = f'{FIRST}mirrors."docker.io".endpoint = ["https://mirror.test"]\n'
    assert traps(text) == [Rule.LEGACY_MIRRORS]


def test_mirrors_beside_config_path_are_found() -> None:
    text = f'{FIRST}{SET}mirrors."docker.io".endpoint = ["https://mirror.test"]\n'
    assert traps(text) == [Rule.LEGACY_WITH_CONFIG_PATH]


@pytest.mark.parametrize(
    ("version", "effect"),
    [
        ("1.7.24", "does not load its image service"),
        ("unknown", "does not load its image service"),
        ("2.1.9", "ignores them"),
    ],
)
def test_tls_options_beside_config_path_are_found(version: str, effect: str) -> None:
    text = f'{FIRST}{SET}configs."r.test".tls.ca_file = "/ca.crt"\nconfigs.other = 3\n'
    [found] = lint_runtime_config(text, version)
    assert found.rule is Rule.LEGACY_WITH_CONFIG_PATH
    assert found.problem.endswith(effect)


@pytest.mark.parametrize(("text", "line"), [("version = 2\nx\n", 2), ("a = " + "[" * 5000, None)])
def test_configuration_that_is_not_toml_is_found(text: str, line: int | None) -> None:
    [found] = lint_runtime_config(text, "1.7.24")
    assert found.rule is Rule.SYNTAX
    assert found.line == line


DISCARDS = "discard_unpacked_layers = true\n"
OF_FIRST = '[plugins."io.containerd.grpc.v1.cri".containerd]\n'


@pytest.mark.parametrize(
    ("text", "version", "traps"),
    [
        (f"{IMAGES}{DISCARDS}{SECOND}{SET}", "2.1.9", 1),
        (f"{IMAGES}{DISCARDS}{SECOND}{SET}", "unknown", 1),
        (f"{OF_FIRST}{DISCARDS}{FIRST}{SET}", "1.7.24", 1),
        (f"{IMAGES}use_local_image_pull = true\n{SECOND}{SET}", "2.1.9", 1),
        (f"{IMAGES}use_local_image_pull = true\n{DISCARDS}{SECOND}{SET}", "2.1.9", 2),
        (f"{IMAGES}use_local_image_pull = true\n{SECOND}{SET}", "2.0.5", 0),
        (f"{IMAGES}discard_unpacked_layers = false\n{SECOND}{SET}", "2.1.9", 0),
        (FIRST + SET, "1.7.24", 0),
        ("", "2.1.9", 0),
    ],
)
def test_node_that_pulls_in_a_way_of_its_own_is_found(text: str, version: str, traps: int) -> None:
    found = lint_pull_path(text, version)

    assert [finding.rule for finding in found] == [Rule.PULL_PATH] * traps
    assert all(finding.remedy for finding in found)


def test_only_a_runtime_that_has_a_transfer_service_is_said_to_leave_it() -> None:
    (second,) = lint_pull_path(f"{IMAGES}{DISCARDS}{SECOND}", "2.1.9")
    (first,) = lint_pull_path(f"{OF_FIRST}{DISCARDS}{FIRST}", "1.7.24")

    assert "pulls without the transfer service" in second.problem
    assert "transfer service" not in first.problem


def test_pull_path_of_what_is_no_toml_is_not_known() -> None:
    assert [finding.rule for finding in lint_pull_path("[", "2.1.9")] == [Rule.SYNTAX]
