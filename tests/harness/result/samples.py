"""Results for tests: small ones, and one that shows everything a result can hold."""

from __future__ import annotations

from harness.findings import Code, Finding
from harness.history import FaultInterval
from harness.result.model import (
    CheckRecord,
    ClusterFacts,
    EngineFacts,
    Environment,
    ImageFacts,
    Interval,
    Measurement,
    NodeFacts,
    Phases,
    RegistryFacts,
    Result,
    RunFacts,
    ScenarioFacts,
    Status,
    UnmeasuredTarget,
    utc,
)
from harness.result.verdict import conclude

STARTED = 1_800_000_000.0
COLD_PULL = Measurement(
    name="cold_pull_p95_seconds",
    unit="seconds",
    value=2.125,
    statistic="p95",
    samples=9,
    size_class="10MiB",
    subject="node-1",
    interval=Interval(low=1.9, high=2.4),
    floor=0.21,
    target_max=3.0,
    met=True,
)


def check(
    name: str = "trust.private-ca-accepted",
    status: Status = Status.PASSED,
    *,
    findings: tuple[Finding, ...] = (),
    reason: str = "",
    lacking: str = "",
    waived: str = "",
    measurements: tuple[Measurement, ...] = (),
    title: str = "Every node accepts the private authority.",
    history: str = "",
    faults: tuple[FaultInterval, ...] = (),
) -> CheckRecord:
    """A check's record; a failed one gets a finding unless it is given some."""
    if status is Status.FAILED and not findings:
        findings = (Finding(Code.PULL_FAILED, "node-1", "no route to host", "open the port"),)
    if status not in {Status.PASSED, Status.FAILED} and not reason:
        reason = "the node has no runtime log"
    return CheckRecord(
        id=name,
        capability="latency" if name.startswith("latency") else "trust",
        title=title,
        failure_modes=(4, 5),
        status=status,
        code=findings[0].code if findings else "",
        findings=findings,
        reason=reason,
        lacking=lacking,
        waived=waived,
        measurements=measurements,
        history=history,
        faults=faults,
        started=STARTED,
        duration_seconds=1.25,
    )


def facts(
    *,
    interrupted: bool = False,
    errors: tuple[str, ...] = (),
    not_measured: tuple[UnmeasuredTarget, ...] = (),
    notes: tuple[str, ...] = (),
) -> RunFacts:
    """The facts of a run with a full environment."""
    return RunFacts(
        run_id="20270115-080000-ab12",
        scenario=ScenarioFacts(name="production-like", file="production.yaml", sha256="0" * 64),
        started=utc(STARTED),
        ended=utc(STARTED + 42.5),
        interrupted=interrupted,
        phases=Phases(engine=1.5, images=0.25, lab=6.0, checks=30.0, teardown=2.0),
        environment=Environment(
            kernel="6.1.0",
            cpus=2,
            memory_bytes=4 * 1024**3,
            harness_version="0.1.0",
            harness_commit="0123456",
            engine=EngineFacts(kind="ambient", version="26.1.5"),
            cluster=ClusterFacts(provider="containerd", reason="no node image for kind"),
            nodes=(NodeFacts(name="node-1", containerd="1.7.24"),),
            registries=(RegistryFacts(name="primary", provider="distribution", version="2.8.3"),),
            images=(ImageFacts(name="node", id="sha256:1a", origin="built"),),
        ),
        not_measured=not_measured,
        errors=errors,
        notes=notes,
    )


def everything() -> Result:
    """A result with every status, hostile text, met and missed targets."""
    missed = COLD_PULL.model_copy(
        update={"value": 4.5, "met": False, "subject": "node-2", "interval": None}
    )
    bare = Measurement(
        name="registry_memory_bytes", unit="bytes", value=91_226_112.0, statistic="max", samples=1
    )
    findings = (
        Finding(
            Code.WRONG_REASON,
            "node-3",
            "expected tls-expired, got unknown: <script>alert(1)</script> & x509: certificate",
            "renew the certificate",
        ),
        Finding(Code.PULL_ACCEPTED, "node-1", "pulled from a registry with an expired certificate"),
    )
    late = (Finding(Code.TARGET_MISSED, "node-2", "4.5 s where at most 3 s were wanted"),)
    return conclude(
        facts(
            errors=("teardown: the network could not be removed [busy]",),
            not_measured=(UnmeasuredTarget(measure="warm_pull_p95_seconds", max=1.0),),
            notes=("cluster provider containerd: no node image for kind",),
        ),
        (
            check(),
            check("trust.expired-refused", Status.FAILED, findings=findings),
            check(
                "latency.cold-pull",
                Status.FAILED,
                findings=late,
                measurements=(COLD_PULL, missed, bare),
                history="histories/latency.cold-pull.jsonl",
            ),
            check("latency.memory", Status.INCONCLUSIVE, reason="the host was saturated"),
            check(
                "trust.mirror-order",
                Status.ERROR,
                reason="the engine went away",
                faults=(
                    FaultInterval("killed", "primary", STARTED + 2, STARTED + 22.5, True),
                    FaultInterval("paused", "node-1", STARTED + 30, STARTED + 31, False),
                ),
            ),
            check("trust.client-certificate", Status.NOT_VERIFIED, reason="no such registry"),
            check(
                "trust.plain-http",
                Status.NOT_VERIFIED,
                reason="no plain registry",
                waived="we run no plain registry",
            ),
        ),
    )
