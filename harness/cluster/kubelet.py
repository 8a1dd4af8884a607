"""What kubelets answer through the API server: their configuration and their metrics."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from harness.cluster.kubelet_model import read_counts, read_settings
from harness.findings import NotVerified
from harness.kubernetes_api import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cluster.kubelet_model import PullCounts, PullSettings
    from harness.kubernetes_api import KubernetesAPI

AnswerT = TypeVar("AnswerT")


def pull_settings(api: KubernetesAPI, node_name: str) -> PullSettings:
    """Return how a kubelet is set up to pull. Raises NotVerified where we may not ask."""
    return read_settings(_allowed(lambda: api.get(_proxied(node_name, "configz"))))


def pull_counts(api: KubernetesAPI, node_name: str) -> PullCounts:
    """Return what a kubelet has counted so far. Raises NotVerified where we may not ask."""
    return read_counts(_allowed(lambda: api.text(_proxied(node_name, "metrics"))))


def _proxied(node_name: str, page: str) -> str:
    return f"/api/v1/nodes/{node_name}/proxy/{page}"


def _allowed(ask: Callable[[], AnswerT]) -> AnswerT:
    try:
        return ask()
    except KubernetesError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        raise NotVerified(f"the kubelets may not be asked: {error.problem}") from error
