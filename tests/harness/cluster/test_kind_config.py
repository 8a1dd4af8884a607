from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness.cluster.kind_config import KindConfig, node_names
from harness.scenario.model import KubeletSpec

RELAYS = (Path("/runs/1/control-plane/run"), Path("/runs/1/worker/run"))


def config(
    *,
    kubelet: KubeletSpec | None = None,
    first_cgroups: bool = False,
    restrict_oom_score: bool = False,
) -> dict[str, Any]:
    rendered = KindConfig(
        relays=RELAYS,
        kubelet=kubelet or KubeletSpec(),
        first_cgroups=first_cgroups,
        restrict_oom_score=restrict_oom_score,
    ).render()
    document: dict[str, Any] = json.loads(rendered)
    return document


def containerd(document: dict[str, Any]) -> dict[str, Any]:
    (patch,) = document["containerdConfigPatches"]
    cri: dict[str, Any] = tomllib.loads(patch)["plugins"]["io.containerd.grpc.v1.cri"]
    return cri


def kubelet(document: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(document["kubeadmConfigPatches"][0])
    return settings


def test_nodes_are_named_as_kind_names_them() -> None:
    assert node_names(1) == ("control-plane",)
    assert node_names(4) == ("control-plane", "worker", "worker2", "worker3")


def test_one_node_is_the_control_plane_and_the_others_are_workers() -> None:
    nodes = config()["nodes"]

    assert [node["role"] for node in nodes] == ["control-plane", "worker"]
    assert [node["extraMounts"][0]["hostPath"] for node in nodes] == [str(each) for each in RELAYS]


def test_layers_are_kept_so_that_nothing_hides_what_breaks_elsewhere() -> None:
    assert containerd(config())["containerd"]["discard_unpacked_layers"] is False


def test_restricted_machine_does_not_lower_scores_of_the_oom_killer() -> None:
    assert containerd(config(restrict_oom_score=True))["restrict_oom_score_adj"] is True
    assert containerd(config())["restrict_oom_score_adj"] is False


def test_kubelet_accepts_the_first_version_of_cgroups_only_where_the_machine_has_it() -> None:
    assert kubelet(config(first_cgroups=True))["failCgroupV1"] is False
    assert "failCgroupV1" not in kubelet(config())


@pytest.mark.parametrize("first", [True, False])
def test_kubelet_and_containerd_agree_on_who_makes_groups(*, first: bool) -> None:
    document = config(first_cgroups=first)
    runtime = containerd(document)["containerd"]["runtimes"]["runc"]

    assert runtime["options"]["SystemdCgroup"] is not first
    assert kubelet(document).get("cgroupDriver") == ("cgroupfs" if first else None)


def test_kubelet_pulls_as_the_scenario_says() -> None:
    spec = KubeletSpec(ensure_secret_pulled_images=False, serialize_image_pulls=False)
    settings = kubelet(config(kubelet=spec))

    assert settings["featureGates"] == {"KubeletEnsureSecretPulledImages": False}
    assert settings["serializeImagePulls"] is False
    assert settings["containerLogMaxSize"] == "1Gi"


def test_etcd_waits_for_no_disk_whichever_version_kubeadm_reads() -> None:
    _, *patches = map(json.loads, config()["kubeadmConfigPatches"])

    assert {patch["apiVersion"]: patch["etcd"]["local"]["extraArgs"] for patch in patches} == {
        "kubeadm.k8s.io/v1beta3": {"unsafe-no-fsync": "true"},
        "kubeadm.k8s.io/v1beta4": [{"name": "unsafe-no-fsync", "value": "true"}],
    }


def test_controllers_hold_no_lease_whichever_version_kubeadm_reads() -> None:
    _, *patches = map(json.loads, config()["kubeadmConfigPatches"])

    for controllers in ("controllerManager", "scheduler"):
        assert {patch["apiVersion"]: patch[controllers]["extraArgs"] for patch in patches} == {
            "kubeadm.k8s.io/v1beta3": {"leader-elect": "false"},
            "kubeadm.k8s.io/v1beta4": [{"name": "leader-elect", "value": "false"}],
        }
