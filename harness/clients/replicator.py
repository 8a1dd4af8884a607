"""Keeps a registry equal to another one, with the scripts of the image `tools` (images/tools/).

On push, Distribution's notifications are received by webhook, which runs `replicate` for each and
answers with its success: Distribution sends them in their order and each until it was received
(`notifications/sinks.go`), so a destination that was away catches up by itself. What was pending
when the source stops is lost. On a schedule, `replicate-all` compares and copies all there is.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.clients.files import ENVIRONMENT, client_files
from harness.engine import ContainerSpec
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.engine import Container, Engine
    from harness.scenario.model import ReplicationSpec
    from harness.secret import Credentials

_PORT: Final = 9000
_RECEIVE: Final = f"webhook -hooks /etc/webhook/replicate.json -port {_PORT} -verbose"
_REPEAT: Final = "/usr/local/bin/replicate-all"
_READY: Final = b"serving hooks on"
# Who has resolved the name of a registry that goes away just then knocks at an address where
# nobody is. Programs in Go do so for 30 s, and the registry would be back long before: with one
# repetition the kernel gives up after 3 s (tcp(7)).
_SYSCTLS: Final = {"net.ipv4.tcp_syn_retries": "1"}


@dataclass(frozen=True)
class Replicator:
    """The running tool of one replication."""

    spec: ReplicationSpec
    container: Container

    def collect_logs(self, into: Path) -> None:
        """Write what it logged to a file below `into`."""
        into.mkdir(parents=True, exist_ok=True)
        (into / f"{name_of(self.spec)}.log").write_bytes(self.container.logs())


@contextmanager
def replicator(
    spec: ReplicationSpec,
    *,
    engine: Engine,
    image_id: str,
    network: str,
    labels: Mapping[str, str],
    name: str,
    folder: Path,
    hosts: Mapping[str, str],
    accounts: Mapping[str, Credentials],
    authorities: Sequence[bytes],
) -> Iterator[Replicator]:
    """Start the tool of a replication and remove it at the end; `folder` is its own.

    `hosts` are the hosts of registries by their names, `accounts` by those hosts.
    """
    command = _REPEAT if spec.trigger == "schedule" else _RECEIVE
    try:
        container = engine.start(
            ContainerSpec(
                name=name,
                image=image_id,
                entrypoint=("/usr/bin/tini", "--", *command.split()),
                hostname="replicator",
                labels=labels,
                network=network,
                aliases=(name_of(spec),),
                binds=client_files(folder, accounts, authorities),
                sysctls=_SYSCTLS,
                environment={
                    **ENVIRONMENT,
                    "SOURCE": hosts[spec.source],
                    "DESTINATION": hosts[spec.destination],
                    "EVERY_SECONDS": str(spec.every_seconds),
                },
            )
        )
        if spec.trigger == "onPush":
            wait_until(
                lambda: _READY in container.logs(),
                timeout_seconds=20,
                what=f"the replicator of {spec.destination} to listen",
            )
        yield Replicator(spec, container)
    finally:
        engine.remove(name)
        shutil.rmtree(folder, ignore_errors=True)


def name_of(spec: ReplicationSpec) -> str:
    """Return a replication's name, which no registry of a scenario can bear."""
    return f"{spec.source}.to.{spec.destination}"


def receivers(source: str, replications: Sequence[ReplicationSpec]) -> tuple[str, ...]:
    """Return the URLs of those that want to hear of each change of a registry."""
    return tuple(
        f"http://{name_of(spec)}:{_PORT}/hooks/replicate"
        for spec in replications
        if spec.source == source and spec.trigger == "onPush"
    )
