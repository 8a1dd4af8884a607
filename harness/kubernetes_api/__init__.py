"""The Kubernetes API, spoken in plain JSON: no typed models on the way."""

from harness.kubernetes_api.client import Json, KubernetesAPI
from harness.kubernetes_api.errors import KubernetesError
from harness.kubernetes_api.watching import Watch, WatchEvent

__all__ = ["Json", "KubernetesAPI", "KubernetesError", "Watch", "WatchEvent"]
