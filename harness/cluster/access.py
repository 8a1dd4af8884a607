"""How a cluster that exists is reached: a kubeconfig and one of its contexts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.kubernetes_api import KubernetesAPI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.scenario.model import ClusterSpec


@dataclass(frozen=True)
class Access:
    """A kubeconfig's absolute path; `context` is None for the one that is current in it."""

    kubeconfig: Path
    context: str | None

    def api(self) -> KubernetesAPI:
        """Return a connection. Raises KubernetesError when the file or context is no good."""
        return KubernetesAPI(self.kubeconfig, self.context)


def access_to(
    cluster: ClusterSpec,
    *,
    kubeconfig: Path | None,
    context: str | None,
    environment: Mapping[str, str],
) -> Access | None:
    """Return how a cluster that exists is reached, None for one that is to be built.

    It is what the user names, else $KUBECONFIG, and never the file in the home folder: nobody
    shall judge a cluster by mistake. Raises HarnessError without either, when the file cannot
    be used, and when a kubeconfig is named for a cluster that is to be built.
    """
    if cluster.provider != "existing":
        if kubeconfig or context:
            raise HarnessError(
                "--kubeconfig and --context are for a cluster that exists, and the scenario's is "
                f"of the provider {cluster.provider}",
                remedy="add --cluster existing, or leave them out",
            )
        return None
    named = str(kubeconfig or environment.get("KUBECONFIG") or "")
    if not named or ":" in named:
        raise HarnessError(
            "a cluster that exists needs one kubeconfig; "
            + ("$KUBECONFIG names several files" if named else "none is given"),
            remedy="name it: --kubeconfig FILE, and --context NAME where it is not the current one",
        )
    access = Access(Path(named).expanduser().absolute(), context)
    with access.api():
        return access
