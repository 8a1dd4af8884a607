"""Registries of the provider `in-cluster`: a pod of the cluster, reached by a port of each node."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from harness.distribution_api import USER_AGENT, DistributionAPI, Endpoint, TrustedAuthority
from harness.errors import RegistryError
from harness.findings import Inconclusive
from harness.kubernetes_api import KubernetesAPI, KubernetesError
from harness.registry import access_log
from harness.registry.answering import wait_for_answer
from harness.registry.distribution import registry_names
from harness.registry.distribution_log import settle
from harness.registry.protocols import PlacedPod
from harness.trust import served_certificate
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.kubernetes_api import Json
    from harness.registry.protocols import Request
    from harness.scenario.model import RegistrySpec
    from harness.secret import Credentials

NAMESPACE: Final = "registries"
_PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
_RESTART_SECONDS: Final = 120
_INTERVAL_SECONDS: Final = 0.1
# The address that stands for this machine, whose requests the registry sees a node send.
_THIS_MACHINE: Final = "127.0.0.1"


@dataclass(frozen=True)
class InClusterRegistry:
    """A release of the chart in charts/registry; it goes with the cluster, made for the run.

    Plain data, so that it can be sent to another process as it is. `ca` is the authority (PEM)
    of its certificate. `addresses` are those of all nodes, each of which leads to the pod from
    its `port`; this machine asks the first.
    """

    spec: RegistrySpec
    credentials: Credentials | None
    ca: bytes
    kubeconfig: Path
    addresses: tuple[str, ...]
    port: int

    @property
    def release(self) -> str:
        """The name of the release and of what it consists of: services' begin with a letter."""
        return f"registry-{self.spec.name}"

    @property
    def host(self) -> str:
        """Host and port as they stand in image references."""
        return f"{registry_names(self.spec)[0]}:{self.port}"

    @property
    def undeclared_host(self) -> str:
        """Host and port under a second name, which its certificate names too."""
        return f"{registry_names(self.spec)[1]}:{self.port}"

    @property
    def endpoint(self) -> Endpoint:
        """Where this machine reaches it, and whom to trust there."""
        return Endpoint(self.host, self.addresses[0], TrustedAuthority(self.ca))

    def api(self, credentials: Credentials | None = None) -> DistributionAPI:
        """Return a client that verifies the registry's certificate; ours unless told otherwise."""
        return DistributionAPI(self.endpoint, credentials or self.credentials)

    def served_certificate(self) -> bytes:
        """Return the certificate (PEM) that it presents now."""
        endpoint = self.endpoint
        return served_certificate(endpoint.address, endpoint.port, server_name=endpoint.name)

    def collect_logs(self, into: Path) -> None:
        """Write the log of its pod to `<name>.log` below `into`, empty where no pod runs."""
        into.mkdir(parents=True, exist_ok=True)
        (into / f"{self.spec.name}.log").write_text(self._log())

    def configuration(self) -> str:
        """Return the text of its configuration file."""
        with KubernetesAPI(self.kubeconfig) as api:
            found = api.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{self.release}")
        return str(found["data"]["config.yml"])

    def pods(self) -> tuple[PlacedPod, ...]:
        """Return its pods that are ready, of which there is one at most."""
        with KubernetesAPI(self.kubeconfig) as api:
            return tuple(
                PlacedPod(NAMESPACE, str(pod["metadata"]["name"]), str(pod["spec"]["nodeName"]))
                for pod in self._running(api)
                if _is_ready(pod)
            )

    def mark(self) -> float:
        """Return when the last line of the log was written, with all requests so far in it."""
        return max(moment for moment, _ in _lines(self._settled_log(time.time())))

    def requests_since(self, mark: float) -> tuple[Request, ...]:
        """Return all requests completed between `mark` and this call, none missing.

        A node that asks the pod which it runs itself is seen with its address in the pods'
        network; here it has its own one, as every node. Raises Inconclusive where the pod was
        replaced: its log went with it.
        """
        lines = _lines(self._settled_log(mark))
        if mark not in [moment for moment, _ in lines]:
            raise Inconclusive(f"the pod of {self.host} was replaced, and its log is gone")
        with KubernetesAPI(self.kubeconfig) as api:
            own = _addresses_among_pods(api)
        found = access_log.requests("\n".join(text for moment, text in lines if moment > mark))
        return tuple(replace(each, client=_client(each, own)) for each in found)

    def restart(self) -> None:
        """Have its pod replaced, as for an upgrade; healthy when this returns."""
        changed = {"pullproof/restarted": datetime.now(UTC).isoformat()}
        with KubernetesAPI(self.kubeconfig) as api:
            self.change_pods(api, {"metadata": {"annotations": changed}})

    def change_pods(self, api: KubernetesAPI, template: Json) -> None:
        """Merge into the template of its pods; healthy with the new one when this returns."""
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{self.release}"
        api.merge(path, {"spec": {"template": template}})
        wait_until(
            lambda: api.get(path),
            ready=_is_rolled_out,
            timeout_seconds=_RESTART_SECONDS,
            interval_seconds=_INTERVAL_SECONDS,
            what=f"the pod of {self.host} to be replaced",
        )
        self.wait_until_healthy(timeout_seconds=_RESTART_SECONDS)

    def wait_until_healthy(self, *, timeout_seconds: float = 20) -> None:
        """Wait until it answers at every node: each hears of a new pod for itself.

        Raises RegistryError with the end of its log when it does not answer in time.
        """
        wait_for_answer(
            self._unhealthy,
            healthy=lambda told: not told,
            timeout_seconds=timeout_seconds,
            host=self.host,
            log=lambda: self._log().encode(),
        )

    def _unhealthy(self) -> str:
        """Say what is wrong at the first node that does not lead to it, empty for none."""
        for address in self.addresses:
            there = replace(self.endpoint, address=address)
            try:
                status = DistributionAPI(there, self.credentials).ping().status
            except RegistryError as error:
                return error.problem
            if status != HTTPStatus.OK:
                return f"{address} answered {status}"
        return ""

    def _settled_log(self, since: float) -> str:
        """Return what was logged since a moment, with all requests so far in it."""
        with KubernetesAPI(self.kubeconfig) as api:
            stranger, read = DistributionAPI(self.endpoint), self._reader(api, since)
            settle(stranger, self.host, lambda: read().encode())
            return read()

    def _log(self) -> str:
        """Return the whole log, as far as it can be had."""
        with KubernetesAPI(self.kubeconfig) as api, suppress(KubernetesError):
            return self._reader(api, since=0)()
        return ""

    def _reader(self, api: KubernetesAPI, since: float) -> Callable[[], str]:
        """Return what reads the log from the second of a moment on, a time before each line."""
        moment = datetime.fromtimestamp(int(since), UTC).isoformat().replace("+00:00", "Z")

        def read() -> str:
            paths = [f"{_PODS}/{pod['metadata']['name']}/log" for pod in self._running(api)]
            return "".join(api.text(path, timestamps="true", sinceTime=moment) for path in paths)

        return read

    def _running(self, api: KubernetesAPI) -> list[Json]:
        selector = f"app.kubernetes.io/instance={self.release}"
        found = api.list(_PODS, labelSelector=selector)
        return [pod for pod in found if pod["status"].get("phase") == "Running"]


def _is_ready(pod: Json) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod["status"].get("conditions", ())
    )


def _is_rolled_out(deployment: Json) -> bool:
    status = deployment["status"]
    seen = bool(status.get("observedGeneration", 0) >= deployment["metadata"]["generation"])
    return seen and status.get("updatedReplicas") == status.get("availableReplicas") == 1


def _lines(log: str) -> list[tuple[float, str]]:
    """Split a log into moments, in seconds since the epoch, and what was logged then."""
    lines = (line.partition(" ") for line in log.splitlines())
    return [(_epoch(moment), text) for moment, _, text in lines]


def _epoch(moment: str) -> float:
    """Return seconds since the epoch; nanoseconds as in logs of containers are cut off."""
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


def _addresses_among_pods(api: KubernetesAPI) -> dict[str, str]:
    """Map the address that each node has in the network of its pods to its own one.

    It is the first of the node's range, by which its pods reach everything.
    """
    return {
        str(ip_network(node["spec"]["podCIDR"])[1]): str(address["address"])
        for node in api.list("/api/v1/nodes")
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP"
    }


def _client(request: Request, own: dict[str, str]) -> str:
    if request.user_agent == USER_AGENT:
        return _THIS_MACHINE
    return own.get(request.client, request.client)
