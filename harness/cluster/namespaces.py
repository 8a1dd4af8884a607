"""The namespaces of a run: two of its own, so that nothing else in the cluster is touched."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.lifecycle.run import RUN_LABEL
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from harness.kubernetes_api import KubernetesAPI

_NAMESPACES: Final = "/api/v1/namespaces"
_ACCOUNT_SECONDS: Final = 30
# The controllers empty a namespace in some seconds; pods on a node that is gone take longest.
_REMOVAL_SECONDS: Final = 120


@dataclass(frozen=True)
class RunNamespaces:
    """The two namespaces of a run: where it works, and one that must see nothing of the first."""

    first: str
    second: str


def namespaces_of(run_id: str) -> RunNamespaces:
    """Return what the namespaces of a run are called, whether or not they exist."""
    return RunNamespaces(f"pullproof-{run_id}", f"pullproof-{run_id}-second")


@contextmanager
def own_namespaces(
    api: KubernetesAPI, run_id: str, labels: Mapping[str, str] | None = None
) -> Generator[RunNamespaces]:
    """Create the run's two namespaces and remove them with all that is in them.

    They carry the label `pullproof.run=<run id>` besides `labels`. Pods can be created in both
    when this yields: their service account `default` is there. Whatever was left under the same
    names is removed before. At the end both are gone, or WaitTimeoutError says what remains.
    """
    remove_namespaces(api, run_id)
    try:
        yield create_namespaces(api, run_id, labels)
    finally:
        remove_namespaces(api, run_id)


def create_namespaces(
    api: KubernetesAPI, run_id: str, labels: Mapping[str, str] | None = None
) -> RunNamespaces:
    """Create them where nobody has to remove them: in a cluster that goes as a whole."""
    own = namespaces_of(run_id)
    marks = {**(labels or {}), RUN_LABEL: run_id}
    for name in (own.first, own.second):
        api.create(_NAMESPACES, {"metadata": {"name": name, "labels": marks}})
    for name in (own.first, own.second):
        _wait_for_default_account(api, name)
    return own


def remove_namespaces(api: KubernetesAPI, run_id: str) -> None:
    """Remove all namespaces of a run and wait until they are gone.

    None is no error. Raises WaitTimeoutError when the cluster does not let go of one.
    """
    for name in _of_run(api, run_id):
        # Pods end at once instead of after their grace period.
        api.delete(f"{_NAMESPACES}/{name}/pods", grace_seconds=0)
        api.delete(f"{_NAMESPACES}/{name}")
    wait_until(
        lambda: _of_run(api, run_id),
        ready=lambda names: not names,
        timeout_seconds=_REMOVAL_SECONDS,
        what=f"the namespaces of run {run_id} to be gone",
        interval_seconds=0.2,
    )


def _of_run(api: KubernetesAPI, run_id: str) -> tuple[str, ...]:
    found = api.list(_NAMESPACES, labelSelector=f"{RUN_LABEL}={run_id}")
    return tuple(str(namespace["metadata"]["name"]) for namespace in found)


def _wait_for_default_account(api: KubernetesAPI, namespace: str) -> None:
    """Wait for what a controller creates and each pod needs."""
    path = f"{_NAMESPACES}/{namespace}/serviceaccounts/default"
    wait_until(
        lambda: api.find(path) is not None,
        timeout_seconds=_ACCOUNT_SECONDS,
        what=f"the service account default of namespace {namespace}",
        interval_seconds=0.05,
    )
