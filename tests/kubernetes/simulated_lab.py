"""A control plane with simulated nodes and kubelets, and runs of fleet mode against it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.command import run
from harness.kubernetes_api import KubernetesAPI
from harness.wait import wait_until
from tests.kubernetes.control_plane import control_plane
from tests.kubernetes.fleet_controller import Cost
from tests.kubernetes.simulated_fleet import create_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.kubernetes.control_plane import Programs

LIMIT_SECONDS = 900


@dataclass(frozen=True)
class Run:
    """One run of the harness's part; `started` is when its process was started."""

    cost: Cost
    started: float
    diary: dict[str, float]

    @property
    def harness_seconds(self) -> float:
        """Our own wall time: all but what we waited for.

        Left out is the time from a DaemonSet's creation to its last kubelet's answer, and from
        its deletion to the end of its last pod.
        """
        waited = sum(
            min(self._last_answer(sample.name), sample.deleted)
            - sample.created
            + sample.gone
            - sample.deleted
            for sample in self.cost.samples
        )
        return self.cost.ended - self.started - waited

    def _last_answer(self, daemon_set: str) -> float:
        return max(at for pod, at in self.diary.items() if pod.startswith(f"{daemon_set}-"))


@dataclass(frozen=True)
class SimulatedLab:
    """A running control plane whose kubelets are simulated."""

    kubeconfig: Path
    diary: Path

    def add_nodes(self, names: Sequence[str]) -> None:
        """Make nodes."""
        with KubernetesAPI(self.kubeconfig) as api:
            create_nodes(api, names)

    def cover(self, namespace: str, *, samples: int, timeout_seconds: float | None = None) -> Run:
        """Run the harness's part in a process and a namespace of its own."""
        with KubernetesAPI(self.kubeconfig) as api:
            api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
            account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
            wait_until(lambda: api.find(account) is not None, timeout_seconds=30, what=account)
        command = [sys.executable, "-m", "tests.kubernetes.fleet_controller"]
        command += [str(self.kubeconfig), namespace, "--samples", str(samples)]
        if timeout_seconds is not None:
            command += ["--timeout-seconds", str(timeout_seconds)]
        started = time.monotonic()
        done = run(command, timeout_seconds=LIMIT_SECONDS)
        lines = [line.split() for line in self.diary.read_text().splitlines()]
        diary = {pod: float(at) for pod, at in lines}
        return Run(Cost.model_validate_json(done.stdout), started, diary)


@contextmanager
def simulated_lab(programs: Programs, folder: Path) -> Iterator[SimulatedLab]:
    """Start a control plane and the process that is all kubelets."""
    with control_plane(programs, folder) as kubeconfig:
        diary = folder / "diary"
        command = [sys.executable, "-m", "tests.kubernetes.simulated_fleet"]
        command += [str(kubeconfig), str(diary), "--seconds", str(4 * LIMIT_SECONDS)]
        with (folder / "kubelets.log").open("wb") as log:
            kubelets = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_until(diary.exists, timeout_seconds=30, what="the simulated kubelets to begin")
            yield SimulatedLab(kubeconfig, diary)
        finally:
            kubelets.terminate()
            kubelets.wait(timeout=30)
