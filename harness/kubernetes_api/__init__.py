"""The Kubernetes API, spoken in plain JSON: no typed models on the way."""

from harness.kubernetes_api.client import Json, KubernetesAPI, WatchEvent
from harness.kubernetes_api.errors import KubernetesError

__all__ = ["Json", "KubernetesAPI", "KubernetesError", "WatchEvent"]
