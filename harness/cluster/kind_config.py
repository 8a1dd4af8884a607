"""The configuration of a kind cluster: nodes, and how their containerd and kubelet are set up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.scenario.model import KubeletSpec

RELAY_FOLDER = "/pullproof"
CONTROL_PLANE = "control-plane"

_CRI = 'plugins."io.containerd.grpc.v1.cri"'

# No cluster of a run outlives this machine's power, so etcd need not wait for the disk at each
# write: a tenth of what a pod costs. The controllers of the only control plane have no rivals, so
# they need no lease, which those that renew it late on a busy machine would end for. kind takes
# the patch whose version is its kubeadm's.
_ARGUMENTS = (
    ("v1beta3", {"unsafe-no-fsync": "true"}, {"leader-elect": "false"}),
    (
        "v1beta4",
        [{"name": "unsafe-no-fsync", "value": "true"}],
        [{"name": "leader-elect", "value": "false"}],
    ),
)
ALONE: tuple[dict[str, object], ...] = tuple(
    {
        "kind": "ClusterConfiguration",
        "apiVersion": f"kubeadm.k8s.io/{version}",
        "etcd": {"local": {"extraArgs": of_etcd}},
        "controllerManager": {"extraArgs": of_controllers},
        "scheduler": {"extraArgs": of_controllers},
    }
    for version, of_etcd, of_controllers in _ARGUMENTS
)
"""Patches for the control plane of a cluster that has one, and that goes with its run."""


def node_names(nodes: int) -> tuple[str, ...]:
    """Return the nodes' names behind the cluster's, as kind gives them: worker, worker2, ..."""
    workers = ("worker", *(f"worker{number}" for number in range(2, nodes)))
    return (CONTROL_PLANE, *workers)[:nodes]


@dataclass(frozen=True)
class KindConfig:
    """What a cluster is made of.

    `relays` are folders of this machine, one per node, in which the node's CRI is reached.
    `first_cgroups` and `restrict_oom_score` tell what the machine lacks: the second version of
    cgroups, which the kubelet asks for since 1.35, and CAP_SYS_RESOURCE. With the first version
    kubelet and containerd make groups themselves instead of asking systemd: that moves processes
    from a pod's group of devices to the slice above it, so that a containerd that starts again
    finds the sandbox empty and ends it (see containerd/containerd#13784).
    """

    relays: tuple[Path, ...]
    kubelet: KubeletSpec
    first_cgroups: bool
    restrict_oom_score: bool

    def render(self) -> bytes:
        """Return the file for `kind create cluster --config`; JSON is YAML as well."""
        names = node_names(len(self.relays))
        document = {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "containerdConfigPatches": [self._containerd()],
            "kubeadmConfigPatches": [json.dumps(each) for each in (self._kubelet(), *ALONE)],
            "nodes": [
                {
                    "role": "control-plane" if name == CONTROL_PLANE else "worker",
                    "extraMounts": [{"hostPath": str(folder), "containerPath": RELAY_FOLDER}],
                }
                for name, folder in zip(names, self.relays, strict=True)
            ],
        }
        return json.dumps(document, indent=2).encode()

    def _containerd(self) -> str:
        """Return what is merged into a node's configuration of containerd.

        kind lets containerd forget a layer's blob once it is unpacked. That hides what breaks on
        other nodes, such as a list of folders as config_path (containerd/containerd#12808), and
        nobody could compare the bytes that a node holds.
        """
        return "\n".join(
            [
                f"[{_CRI}]",
                f"  restrict_oom_score_adj = {json.dumps(self.restrict_oom_score)}",
                f"[{_CRI}.containerd]",
                "  discard_unpacked_layers = false",
                f"[{_CRI}.containerd.runtimes.runc.options]",
                f"  SystemdCgroup = {json.dumps(not self.first_cgroups)}",
                f"[{_CRI}.registry]",
                '  config_path = "/etc/containerd/certs.d"',
            ]
        )

    def _kubelet(self) -> dict[str, object]:
        settings: dict[str, object] = {
            "kind": "KubeletConfiguration",
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "featureGates": {
                "KubeletEnsureSecretPulledImages": self.kubelet.ensure_secret_pulled_images
            },
            "serializeImagePulls": self.kubelet.serialize_image_pulls,
            # An access log that begins anew between two looks proves nothing.
            "containerLogMaxSize": "1Gi",
        }
        if self.first_cgroups:
            settings["failCgroupV1"] = False
            settings["cgroupDriver"] = "cgroupfs"
        return settings
