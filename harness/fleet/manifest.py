"""The DaemonSet that makes every node of a fleet pull one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

SAMPLE_LABEL: Final = "pullproof.sample"
_USER: Final = 65532


@dataclass(frozen=True)
class SampleOrder:
    """One image for a whole fleet: `reference` must be new to every node.

    `name` is the DaemonSet's; `pull_secret` names a secret of the namespace, empty for none;
    `platform` is the image's, such as linux/amd64.
    """

    name: str
    namespace: str
    reference: str
    platform: str
    pull_secret: str = ""


def daemon_set(order: SampleOrder) -> dict[str, Any]:
    """Return the DaemonSet: on all nodes of the platform, whatever their taints say.

    The pods ask for nothing and satisfy the strictest standard for pods; they end within a
    second. The image is new, so IfNotPresent pulls it.
    """
    labels = {SAMPLE_LABEL: order.name}
    metadata = {"labels": labels}
    system, architecture = order.platform.split("/")
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": system, "kubernetes.io/arch": architecture},
        "terminationGracePeriodSeconds": 1,
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "pull",
                "image": order.reference,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
    if order.pull_secret:
        pod["imagePullSecrets"] = [{"name": order.pull_secret}]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": order.name, **metadata},
        "spec": {
            "selector": {"matchLabels": labels},
            "revisionHistoryLimit": 0,
            "template": {"metadata": metadata, "spec": pod},
        },
    }
