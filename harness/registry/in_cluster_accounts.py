"""Registries inside a cluster whose accounts can be set while they run: they stand in a secret."""

from __future__ import annotations

import base64
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from filelock import FileLock

from harness.distribution_api import DistributionAPI
from harness.kubernetes_api import KubernetesAPI
from harness.registry.accounts import hashed
from harness.registry.distribution import require_not_ours
from harness.registry.distribution_config import ACCOUNTS_FILE
from harness.registry.in_cluster import NAMESPACE, InClusterRegistry
from harness.secret import Credentials, new_password
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.secret import Secret

    Accounts = dict[str, str]

# Who is let in as soon as a change is in force, and by nobody but whoever makes the next one.
_CANARY: Final = "canary"
_IN_FORCE_SECONDS: Final = 90
_INTERVAL_SECONDS: Final = 0.5


class InClusterRegistryWithAccounts(InClusterRegistry):
    """A registry whose accounts can be set while it runs."""

    def set_password(self, username: str, password: Secret) -> None:
        """Create the account or replace its password; in force for the next request.

        Raises HarnessError for the lab's own account, which other processes use.
        """
        require_not_ours(username)
        self._change(lambda accounts: {**accounts, username: hashed(password)})

    def remove_account(self, username: str) -> None:
        """Remove the account; no longer accepted by the next request.

        Raises HarnessError for the lab's own account, which other processes use.
        """
        require_not_ours(username)
        self._change(
            lambda accounts: {name: accounts[name] for name in accounts if name != username}
        )

    def _change(self, change: Callable[[Accounts], Accounts]) -> None:
        """Change the accounts, one process at a time, and wait until the pod reads them."""
        canary = Credentials(_CANARY, new_password())
        lock = self.kubeconfig.with_name(f"{self.release}.lock")
        with (
            FileLock(lock, timeout=_IN_FORCE_SECONDS),
            KubernetesAPI(self.kubeconfig) as api,
        ):
            path = f"/api/v1/namespaces/{NAMESPACE}/secrets/{self.release}-accounts"
            lines = base64.b64decode(api.get(path)["data"][ACCOUNTS_FILE]).decode().splitlines()
            accounts = change(dict(line.split(":", 1) for line in lines))
            accounts[canary.username] = hashed(canary.password)
            text = "".join(f"{name}:{hash_}\n" for name, hash_ in accounts.items())
            encoded = base64.b64encode(text.encode()).decode()
            api.merge(path, {"data": {ACCOUNTS_FILE: encoded}})
            client = DistributionAPI(self.endpoint, canary)

            def known() -> bool:
                self._have_it_read(api)
                return client.ping().status == HTTPStatus.OK

            wait_until(
                known,
                timeout_seconds=_IN_FORCE_SECONDS,
                interval_seconds=_INTERVAL_SECONDS,
                what=f"{self.host} to know its new accounts",
            )

    def _have_it_read(self, api: KubernetesAPI) -> None:
        """Have the kubelet look at the pod, and at its secrets with it.

        It looks at them once a minute, unless a pod changes. It is told of secrets and of pods
        apart, and may look before it has heard of the new secret: then it has to look again.
        """
        changed = {"metadata": {"annotations": {"pullproof/accounts": str(time.time())}}}
        for pod in self.pods():
            api.merge(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}", changed)
