from __future__ import annotations

import tomllib

import pytest

from harness.cluster.containerd_config import ContainerdConfig, lacks_sys_resource


def parsed(*, restrict: bool = False) -> dict[str, object]:
    config = ContainerdConfig("/run/a b/cri.sock", uid=7, gid=8, restrict_oom_score=restrict)
    return tomllib.loads(config.render().decode())


def test_socket_belongs_to_the_caller() -> None:
    assert parsed()["grpc"] == {"address": "/run/a b/cri.sock", "uid": 7, "gid": 8}


@pytest.mark.parametrize("restrict", [True, False])
def test_hosts_folder_is_set_and_nothing_else_of_the_registries(*, restrict: bool) -> None:
    plugins = parsed(restrict=restrict)["plugins"]

    assert plugins == {
        "io.containerd.grpc.v1.cri": {
            "restrict_oom_score_adj": restrict,
            "registry": {"config_path": "/etc/containerd/certs.d"},
            "cni": {"bin_dir": "/usr/lib/cni"},
        }
    }


@pytest.mark.parametrize(
    ("status", "lacks"),
    [
        ("Name:\tx\nCapBnd:\t000001ffffffffff\n", False),
        ("Name:\tx\nCapBnd:\t000001fffeffffff\n", True),
        ("Name:\tx\n", False),
    ],
)
def test_bounding_set_decides_about_oom_scores(status: str, *, lacks: bool) -> None:
    assert lacks_sys_resource(status) is lacks
