"""What a registry can do, apart by ability."""

from harness.registry.protocols.access import ChangesCredentials, HasUndeclaredName, Registry
from harness.registry.protocols.certificates import (
    CertificateFiles,
    PresentsCertificate,
    RequiresClientCertificate,
    StoresCertificate,
)
from harness.registry.protocols.copies import BacksUp, Backup, HasTwin
from harness.registry.protocols.replicas import (
    Balancer,
    HasLoadBalancer,
    HasReplicas,
    Server,
    Session,
)
from harness.registry.protocols.running import (
    HasStandIn,
    PlacedPod,
    Restarts,
    RunsAsPods,
    RunsVersions,
    ShowsConfiguration,
    StandIn,
)
from harness.registry.protocols.storage import (
    Collection,
    CollectsGarbage,
    ExposesStorage,
    ListsStorage,
    Storage,
)
from harness.registry.protocols.usage import CountsBytes, KeepsAccessLog, ReportsUsage, Request

__all__ = [
    "BacksUp",
    "Backup",
    "Balancer",
    "CertificateFiles",
    "ChangesCredentials",
    "Collection",
    "CollectsGarbage",
    "CountsBytes",
    "ExposesStorage",
    "HasLoadBalancer",
    "HasReplicas",
    "HasStandIn",
    "HasTwin",
    "HasUndeclaredName",
    "KeepsAccessLog",
    "ListsStorage",
    "PlacedPod",
    "PresentsCertificate",
    "Registry",
    "ReportsUsage",
    "Request",
    "RequiresClientCertificate",
    "Restarts",
    "RunsAsPods",
    "RunsVersions",
    "Server",
    "Session",
    "ShowsConfiguration",
    "StandIn",
    "Storage",
    "StoresCertificate",
]
