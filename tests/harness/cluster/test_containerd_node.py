from __future__ import annotations

from pathlib import Path

import pytest

from harness.cluster.containerd_node import NodeHandle, parse_listing, write_whole


def test_listing_of_folders_gives_the_paths_of_files() -> None:
    printed = "/etc/c/:\nca.pem\nr.test:5000/\n.hidden\n\n/etc/c/r.test:5000:\nhosts.toml\n"

    assert parse_listing(printed) == [
        "/etc/c/ca.pem",
        "/etc/c/.hidden",
        "/etc/c/r.test:5000/hosts.toml",
    ]


def test_listing_of_nothing_is_empty() -> None:
    assert parse_listing("") == []


@pytest.mark.parametrize(
    ("path", "host"),
    [
        (
            "/etc/containerd/certs.d/r:5000/hosts.toml",
            "/runs/a/node-1/etc/certs.d/r:5000/hosts.toml",
        ),
        ("/etc/containerd/../containerd/config.toml", "/runs/a/node-1/etc/config.toml"),
        ("/etc/containerd/../passwd", None),
        ("/etc/containerd-other/config.toml", None),
    ],
)
def test_only_configuration_lies_on_this_machine(path: str, host: str | None) -> None:
    handle = NodeHandle("node-1", "c0ffee", folder="/runs/a/node-1")

    assert handle.on_host(path) == (Path(host) if host else None)
    assert handle.socket == Path("/runs/a/node-1/run/cri.sock")


def test_file_is_replaced_whole_in_folders_made_for_it(tmp_path: Path) -> None:
    file = tmp_path / "certs.d/r.test:5000/hosts.toml"

    write_whole(file, b"one")
    write_whole(file, b"two")

    assert file.read_bytes() == b"two"
    assert list(file.parent.iterdir()) == [file]
