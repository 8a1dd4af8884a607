"""The scenario as frozen data; field names in YAML are the camelCase forms of these."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MIB = 1024 * 1024

Name = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$",
        description="a name of 1 to 42 lower-case letters, digits and inner hyphens",
    ),
]
Host = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]{1,5})?$",
        description="a host as in image references, such as registry.example.com:5000",
    ),
]
Address = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5})?$",
        description="an IPv4 address with or without a port, such as 192.0.2.7:5000",
    ),
]
FileName = Annotated[str, Field(min_length=1, description="the path of a file")]
RepositoryPrefix = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$",
        description="the beginning of repositories, such as team/pullproof",
    ),
]
DOCKER_HUB = "docker.io"
Origin = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?|docker\.io)$",
        description="the name of another registry of this file, or docker.io",
    ),
]
SizeClass = Literal["1MiB", "10MiB", "100MiB"]
SIZE_CLASS_BYTES: dict[SizeClass, int] = {"1MiB": MIB, "10MiB": 10 * MIB, "100MiB": 100 * MIB}
Capability = Literal[
    "trust",
    "pull_secrets",
    "latency",
    "integrity",
    "observability",
    "kubelet",
    "gc",
    "retention",
    "backup",
    "resources",
    "ha",
    "mirror",
    "upgrade",
    "replication",
    "supply_chain",
]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
Measure = Literal[
    "cold_pull_p95_seconds",
    "concurrent_cold_pull_p95_seconds",
    "warm_pull_p95_seconds",
    "registry_memory_bytes",
    "registry_memory_left_bytes",
    "registry_open_files",
    "registry_open_files_left",
    "registry_cpu_seconds_per_gib",
    "slow_clients_pull_p95_seconds",
    "large_layer_push_seconds",
    "large_layer_pull_seconds",
    "tag_list_seconds",
    "pod_pull_p95_seconds",
    "pod_pull_queue_p95_seconds",
    "fleet_cold_pull_p95_seconds",
    "rollout_seconds",
    "failed_pull_ratio",
    "recovery_seconds",
    "error_budget_used_ratio",
    "local_speedup",
    "upstream_bytes_saved_ratio",
    "replication_lag_p95_seconds",
    "backup_seconds",
    "backup_size_bytes",
    "restore_seconds",
]
CheckId = Annotated[
    str,
    Field(
        pattern=r"^[a-z_]+\.[a-z0-9-]+$",
        description="the id of a check, such as trust.unknown-ca-refused",
    ),
]
Ability = Literal[
    "BacksUp",
    "ChangesCredentials",
    "ClientTools",
    "CollectsGarbage",
    "CountsBytes",
    "ExposesStorage",
    "HasLoadBalancer",
    "HasReplicas",
    "HasStandIn",
    "HasTwin",
    "HasUndeclaredName",
    "InContainer",
    "KeepsAccessLog",
    "KubernetesAccess",
    "ListsStorage",
    "MadeForRun",
    "Monitors",
    "PresentsCertificate",
    "Replicates",
    "ReportsUsage",
    "RequiresClientCertificate",
    "Restarts",
    "RunsAsPods",
    "RunsRuntime",
    "RunsVersions",
    "RuntimeAccess",
    "ShowsConfiguration",
    "StoresCertificate",
]


class Part(BaseModel):
    """A part of a scenario: immutable, strict, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, validate_by_name=True
    )


RegistryVersion = Literal["2.8", "3"]
Provider = Literal["auto", "kind", "containerd", "existing"]


class KubeletSpec(Part):
    """How the kubelets of a kind cluster pull; the defaults are those of Kubernetes 1.35."""

    ensure_secret_pulled_images: bool = True
    serialize_image_pulls: bool = True


class ClusterSpec(Part):
    """The cluster that pulls.

    `containerd` is the release on nodes of the provider `containerd`; `kubernetes` and
    `kubelet` are for `kind`, where one of the `nodes` is the control plane. A cluster that
    exists already is taken as it is.
    """

    provider: Provider = "auto"
    nodes: Annotated[int, Field(ge=1, le=9)] = 3
    containerd: Literal["1.6", "1.7", "2.1"] = "1.7"
    kubernetes: Literal["1.35", "1.36"] = "1.36"
    kubelet: KubeletSpec = KubeletSpec()


class TLSSpec(Part):
    """How a registry proves its identity.

    Nodes are given the authority `private-ca` and never `another-ca`.
    """

    issuer: Literal["private-ca", "another-ca"] = "private-ca"
    certificate: Literal["valid", "expired", "not-yet-valid", "wrong-name"] = "valid"
    client_certificate: Literal["ignored", "required"] = "ignored"


class AuthSpec(Part):
    """Who may use a registry."""

    type: Literal["htpasswd"] = "htpasswd"


class LinkSpec(Part):
    """The way from a registry to everybody else, as over the internet.

    What it sends is limited to `rate_mbit` Mbit/s and arrives `delay_ms` milliseconds later; one
    of both at least.
    """

    rate_mbit: Annotated[int, Field(ge=1, le=10_000)] | None = None
    delay_ms: Annotated[int, Field(ge=1, le=10_000)] | None = None


class RegistrySpec(Part):
    """One registry, built for the run (`distribution`) or found where it is (`existing`).

    `in-cluster` is built too: by the chart of this project as a pod of a cluster of kind, which
    nodes reach by a port of their own. One that is built speaks plain HTTP without `tls`, and
    anyone may use it without `auth`. `blob_descriptor_cache` is Distribution's memory of which
    blobs there are.
    `mirror_of` makes nodes ask this registry first for images of another one, mirrors in the
    order of the file; for docker.io, which is no registry of the file, mirrors are all that nodes
    ask. `proxy_of` makes it a pull-through cache: nodes ask it first as well, and what it lacks
    it fetches from that other registry. `declared_on_nodes` false leaves the registry out of the
    nodes' `certs.d`, as one that nobody configured. `link` is how it is reached. With more than
    one of `replicas`, so many servers on one storage stand behind a load balancer that has the
    registry's name. `upgrade_to` is a version that takes the registry's place for a while, on a
    copy of all that it has.

    One that exists has a `host` and speaks HTTPS, unless `plain_http`. Its certificate is judged
    by `ca_file` (PEM), else by what this machine trusts. `credentials_file` is a Docker
    configuration with an account that may pull and push. `address` is where this machine
    reaches it, should only nodes resolve its name. `repository_prefix` begins all repositories
    of the run. Files are relative to the scenario's.
    """

    name: Name
    provider: Literal["distribution", "in-cluster", "existing"] = "distribution"
    version: RegistryVersion = "2.8"
    upgrade_to: Literal["3"] | None = None
    tls: TLSSpec | None = None
    auth: AuthSpec | None = None
    blob_descriptor_cache: Literal["none", "inmemory"] = "none"
    mirror_of: Origin | None = None
    proxy_of: Name | None = None
    link: LinkSpec | None = None
    declared_on_nodes: bool = True
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    host: Host | None = None
    address: Address | None = None
    plain_http: bool = False
    ca_file: FileName | None = None
    credentials_file: FileName | None = None
    repository_prefix: RepositoryPrefix | None = None

    @property
    def secure(self) -> bool:
        """Whether it speaks HTTPS."""
        return not self.plain_http if self.provider == "existing" else self.tls is not None

    @property
    def has_accounts(self) -> bool:
        """Whether it asks for credentials."""
        return self.auth is not None or self.credentials_file is not None

    @property
    def asked_first_for(self) -> str | None:
        """The registry for whose images nodes ask this one first, or docker.io."""
        return self.mirror_of or self.proxy_of

    def repository(self, path: str) -> str:
        """Return a repository's name in this registry."""
        return f"{self.repository_prefix}/{path}" if self.repository_prefix else path


SizeClasses = Annotated[tuple[SizeClass, ...], Field(min_length=1, strict=False)]


class LatencySpec(Part):
    """How much is measured: size classes, and samples for each and every node.

    `pod_size_classes` are those that are pulled by pods on Kubernetes; all unless told.
    """

    size_classes: SizeClasses = ("10MiB", "100MiB")
    pod_size_classes: SizeClasses | None = None
    samples: Annotated[int, Field(ge=1, le=200)] = 3

    @property
    def by_pods(self) -> tuple[SizeClass, ...]:
        """The size classes that are pulled by pods."""
        return self.pod_size_classes or self.size_classes


class ResourcesSpec(Part):
    """How much is asked of the registry under test, and so what its figures stand for.

    `concurrent_reads` clients read at the same time; `rounds` is how often that load comes and
    goes. `tags` are put into one repository. A layer of `large_layer_mib` is pushed whole and in
    chunks of `chunk_mib`.
    """

    concurrent_reads: Annotated[int, Field(ge=1, le=200)] = 32
    rounds: Annotated[int, Field(ge=2, le=1000)] = 3
    tags: Annotated[int, Field(ge=10, le=50_000)] = 200
    large_layer_mib: Annotated[int, Field(ge=1, le=8000)] = 64
    chunk_mib: Annotated[int, Field(ge=1, le=1000)] = 16


class HaSpec(Part):
    """How replicas are tried: how long each fault lasts, and the load meanwhile.

    A pull that takes longer than `slow_pull_seconds` counts as disturbed. `objective` is the share
    of operations that users are promised to end well; what it leaves is the error budget.
    """

    hold_seconds: Annotated[float, Field(gt=0, le=300)] = 3
    pulls_per_second: Annotated[float, Field(gt=0, le=100)] = 5
    pushes_per_second: Annotated[float, Field(gt=0, le=100)] = 5
    slow_pull_seconds: Annotated[float, Field(gt=0, le=60)] = 2
    objective: Annotated[float, Field(gt=0, lt=1)] = 0.999


class MirrorSpec(Part):
    """For which sizes a pull-through cache is compared with its upstream, and how often."""

    size_classes: SizeClasses = ("1MiB", "10MiB")
    samples: Annotated[int, Field(ge=1, le=50)] = 1


class ReplicationSpec(Part):
    """A registry that is kept equal to another one, in this direction only.

    The lab runs a tool that copies `on_push`, whenever the source notifies it of a change, or on
    a `schedule`, every `every_seconds`. Registries that exist are expected to do so themselves.
    A change that is not in the destination `within_seconds` is called missing. The lag is
    measured on `samples` images, pushed one right after the other.
    """

    source: Name
    destination: Name
    trigger: Literal["onPush", "schedule"] = "onPush"
    every_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    within_seconds: Annotated[int, Field(ge=1, le=86400)] = 15
    samples: Annotated[int, Field(ge=1, le=200)] = 8


Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Target(Part):
    """A limit on a measurement, per size class where the measurement has one.

    `max` is for what must be small, `min` for what must be large; which one a measure takes is
    a rule, so exactly one is there.
    """

    measure: Measure
    max: Limit | None = None
    min: Limit | None = None
    size_class: SizeClass | None = None


class Waiver(Part):
    """A check that may stay unverified in this scenario, or all that lack an ability; and why.

    Exactly one of `check` and `ability` is given. An ability is the name of a protocol of
    harness/clients, harness/cluster or harness/registry (protocols); its waiver excuses the
    checks that cannot run because the system does not offer it, and nothing where it does.
    """

    check: CheckId | None = None
    ability: Ability | None = None
    reason: Annotated[str, Field(min_length=10)]


class Scenario(Part):
    """A topology and its targets. The first registry is the one that is judged."""

    # A literal would take `true` for 1.
    version: Annotated[int, Field(ge=1, le=1, json_schema_extra={"const": 1})]
    name: Name
    cluster: ClusterSpec = ClusterSpec()
    registries: Annotated[tuple[RegistrySpec, ...], Field(min_length=1, strict=False)]
    capabilities: Annotated[tuple[Capability, ...], Field(min_length=1, strict=False)] = (
        CAPABILITIES
    )
    replication: Annotated[tuple[ReplicationSpec, ...], Field(strict=False)] = ()
    latency: LatencySpec = LatencySpec()
    resources: ResourcesSpec = ResourcesSpec()
    ha: HaSpec = HaSpec()
    mirror: MirrorSpec = MirrorSpec()
    targets: Annotated[tuple[Target, ...], Field(strict=False)] = ()
    waivers: Annotated[tuple[Waiver, ...], Field(strict=False)] = ()

    @property
    def primary(self) -> RegistrySpec:
        """The registry under test."""
        return self.registries[0]
