"""The result of a run as frozen data; docs/results.md explains it to those who read the JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from harness.findings import Code, Finding
from harness.history import FaultInterval
from harness.scenario.model import Capability

SCHEMA_VERSION = 1

CheckId = Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9-]+$")]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Status(StrEnum):
    """How a check ended; only `passed` means proven."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"
    NOT_VERIFIED = "not_verified"


class Verdict(StrEnum):
    """How a run ended; `empty` is a run in which nothing was verified."""

    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"
    NOT_VERIFIED = "not_verified"
    EMPTY = "empty"


class ExitCode(IntEnum):
    """The exit status of a run: one for each verdict, and one for runs that never began."""

    PASSED = 0
    FAILED = 1
    INTERRUPTED = 2
    ERROR = 3
    USAGE = 4
    EMPTY = 5
    INCONCLUSIVE = 6
    NOT_VERIFIED = 7


class Part(BaseModel):
    """A part of a result: immutable, strict, unknown keys and numbers like NaN refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,
    )


class Interval(Part):
    """The bootstrap interval of a statistic, in the measurement's unit."""

    low: float
    high: float


class Measurement(Part):
    """One measured figure.

    `name` carries statistic and unit, as targets name it: `cold_pull_p95_seconds`. `subject`
    is whom it was measured on, empty for the whole system. `floor` is the least that physics
    allows. `target_max` is the most that the scenario lets it be, `target_min` the least; without
    a target both are null, and so is `met`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    unit: str
    value: float
    statistic: str
    samples: Annotated[int, Field(ge=1)]
    size_class: str = ""
    subject: str = ""
    interval: Interval | None = None
    floor: float | None = None
    target_max: float | None = None
    target_min: float | None = None
    met: bool | None = None


class NodeFigures(Part):
    """What one node of a fleet showed, in short: at most 1 KiB of the document.

    `samples` counts the pulls with a figure, `untold` those that succeeded without one.
    `histogram` holds all figures: microseconds as HDR V2 in base64, mergeable between nodes.
    `gap` is why the node was not covered in every sample, empty where it was.
    """

    node: str
    samples: Count
    untold: Count = 0
    p50_seconds: Seconds | None = None
    max_seconds: Seconds | None = None
    histogram: str = ""
    gap: str = ""
    evidence: str = ""


class UnmeasuredTarget(Part):
    """A target of the scenario that no check of the run measured.

    `waived` is the scenario's reason for accepting this, empty where it does not.
    """

    measure: str
    size_class: str = ""
    max: float | None = None
    min: float | None = None
    waived: str = ""


class CheckRecord(Part):
    """One check as it ended.

    `code` is the code of the first finding, empty without findings. `reason` says why a check
    is error, inconclusive or not verified. `lacking` names the ability that it needs and the
    system does not offer. `waived` is the scenario's reason for accepting that the check stays
    unverified. `history` is a path below the run's folder, empty where nothing was recorded.
    `nodes` are those of a fleet. `faults` are what was broken on purpose meanwhile. `started` is
    in seconds since the epoch.
    """

    id: CheckId
    capability: Capability
    title: str
    failure_modes: tuple[Annotated[int, Field(ge=1)], ...] = ()
    status: Status
    code: Code | Literal[""] = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    lacking: str = ""
    waived: str = ""
    measurements: tuple[Measurement, ...] = ()
    nodes: tuple[NodeFigures, ...] = ()
    faults: tuple[FaultInterval, ...] = ()
    history: str = ""
    started: Seconds
    duration_seconds: Seconds

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        """Refuse records that contradict themselves: a green one with findings, a mute red one."""
        missed = any(measurement.met is False for measurement in self.measurements)
        if self.code != (self.findings[0].code if self.findings else ""):
            raise ValueError("code must be the code of the first finding")
        if self.status is Status.PASSED and (self.findings or missed):
            raise ValueError("a check with findings or a missed target has not passed")
        if self.status is Status.FAILED and not (self.findings or self.reason):
            raise ValueError("a failed check needs a finding or a reason")
        if self.status not in {Status.PASSED, Status.FAILED} and not self.reason:
            raise ValueError(f"a check that is {self.status} needs a reason")
        return self


class Phases(Part):
    """Where the time went, in seconds; null is a phase that the run did not reach."""

    engine: Seconds | None = None
    images: Seconds | None = None
    lab: Seconds | None = None
    checks: Seconds | None = None
    teardown: Seconds | None = None


class ScenarioFacts(Part):
    """Which scenario was run: `file` is the file's name without its folder."""

    name: str
    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EngineFacts(Part):
    """The container engine: `kind` is `ambient` or `private`."""

    kind: str
    version: str


class ClusterFacts(Part):
    """The cluster provider that was used, and why that one."""

    provider: str
    reason: str


class NodeFacts(Part):
    """A node and its container runtime's version."""

    name: str
    containerd: str


class RegistryFacts(Part):
    """A registry and its version."""

    name: str
    provider: str
    version: str


class ImageFacts(Part):
    """An image that the lab ran on; `origin` tells whether it was pulled, loaded or built."""

    name: str
    id: str
    digest: str = ""
    origin: str


class Environment(Part):
    """The fingerprint of where a run took place; figures compare only between equals.

    What a run that ended early never learnt is null or empty.
    """

    kernel: str
    cpus: Annotated[int, Field(ge=1)]
    memory_bytes: Count
    harness_version: str
    harness_commit: str = ""
    engine: EngineFacts | None = None
    cluster: ClusterFacts | None = None
    nodes: tuple[NodeFacts, ...] = ()
    registries: tuple[RegistryFacts, ...] = ()
    images: tuple[ImageFacts, ...] = ()


class RunFacts(Part):
    """What is known of a run apart from its checks.

    `started` and `ended` are in UTC. `errors` are failures of the harness outside any check.
    `notes` are lines for the reader, such as why a provider was chosen.
    """

    run_id: str
    scenario: ScenarioFacts
    started: Moment
    ended: Moment
    interrupted: bool = False
    phases: Phases
    environment: Environment
    not_measured: tuple[UnmeasuredTarget, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Counts(Part):
    """How many checks ended in each status."""

    passed: Count = 0
    failed: Count = 0
    error: Count = 0
    inconclusive: Count = 0
    not_verified: Count = 0


class Conclusion(Part):
    """What a machine gates on, first in the document."""

    schema_version: Literal[1] = 1
    verdict: Verdict
    exit_code: ExitCode
    counts: Counts


class Result(RunFacts, Conclusion):
    """The whole document: the conclusion, the facts of the run, the checks sorted by id."""

    checks: tuple[CheckRecord, ...]

    def to_json(self) -> bytes:
        """Return the document; equal results give equal bytes."""
        return (self.model_dump_json(indent=2) + "\n").encode()


def schema_json() -> str:
    """Return the JSON Schema of the document, as published in docs/result.schema.json."""
    schema = Result.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def utc(seconds: float) -> datetime:
    """Turn seconds since the epoch into the moment that a result carries."""
    return datetime.fromtimestamp(seconds, UTC)
