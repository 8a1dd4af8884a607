"""The harness's part of fleet mode in a process of its own, so that only this is measured.

Prints what it found and what it cost as one JSON document.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from harness.findings import Inconclusive
from harness.fleet import Fleet, FleetFigures, SampleOrder
from harness.kubernetes_api import KubernetesAPI
from harness.result.model import CheckRecord, Status

if TYPE_CHECKING:
    from harness.kubernetes_api import Json

PLATFORM = "linux/amd64"
SET = "/daemonsets"


class Sample(BaseModel):
    """When the DaemonSet of a sample had been created and when its deletion was asked for.

    Seconds of the monotonic clock, which all processes of a machine share.
    """

    name: str
    created: float = 0
    deleted: float = 0
    gone: float = 0


class Cost(BaseModel):
    """What one run found and what it cost.

    `cpu_seconds` is that of the whole process, interpreter and imports included;
    `peak_bytes` the most memory that it ever had.
    """

    begun: float
    ended: float
    cpu_seconds: float
    imports_cpu_seconds: float
    peak_bytes: int
    calls: int
    samples: list[Sample]
    gaps: str
    record: CheckRecord


class TimedAPI(KubernetesAPI):
    """Notes when DaemonSets come and go."""

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig)
        self.samples: dict[str, Sample] = {}

    def create(self, path: str, body: Json) -> Json:
        """Create, and note it."""
        created = super().create(path, body)
        if path.endswith(SET):
            name = body["metadata"]["name"]
            self.samples[name] = Sample(name=name, created=time.monotonic())
        return created

    def delete(
        self,
        path: str,
        *,
        grace_seconds: int | None = None,
        owned_first: bool = False,
        **query: str | int,
    ) -> None:
        """Delete, and note it."""
        if f"{SET}/" in path:
            self.samples[path.rpartition("/")[2]].deleted = time.monotonic()
        super().delete(path, grace_seconds=grace_seconds, owned_first=owned_first, **query)


def image_of(name: str) -> str:
    """Return the image of a sample; nobody pulls it."""
    return f"registry.invalid/fleet/{name}:v1"


def main() -> None:
    """Cover the fleet with so many samples."""
    begun, imports = time.monotonic(), time.process_time()
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("namespace")
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--timeout-seconds", type=float)
    options = parser.parse_args()
    with TimedAPI(options.kubeconfig) as api:
        fleet, figures = Fleet(api, PLATFORM), FleetFigures()
        for number in range(options.samples):
            name = f"{options.namespace}-{number}"
            order = SampleOrder(name, options.namespace, image_of(name), PLATFORM)
            figures.add(fleet.pull(order, image_bytes=0, timeout_seconds=options.timeout_seconds))
            api.samples[name].gone = time.monotonic()
        record = _record(figures)
        record.model_dump_json(indent=2)
    cost = Cost(
        begun=begun,
        ended=time.monotonic(),
        cpu_seconds=time.process_time(),
        imports_cpu_seconds=imports,
        peak_bytes=_peak_bytes(),
        calls=api.calls,
        samples=list(api.samples.values()),
        gaps=_gaps(figures),
        record=record,
    )
    sys.stdout.write(cost.model_dump_json())


def _gaps(figures: FleetFigures) -> str:
    try:
        figures.require_all()
    except Inconclusive as gaps:
        return str(gaps)
    return ""


def _record(figures: FleetFigures) -> CheckRecord:
    findings = figures.refusals()
    return CheckRecord(
        id="latency.fleet",
        capability="latency",
        title="A fleet",
        status=Status.FAILED if findings else Status.PASSED,
        code=findings[0].code if findings else "",
        findings=findings,
        measurements=figures.measurements("1MiB"),
        nodes=figures.records(),
        started=time.time(),
        duration_seconds=time.process_time(),
    )


def _peak_bytes() -> int:
    """Return this program's peak; getrusage would count what its parent had before exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not tell the peak of memory")


if __name__ == "__main__":
    main()
