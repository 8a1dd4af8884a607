"""Programs that people run beside a registry, in the lab's network: skopeo, cosign and others."""

from harness.clients.protocols import ClientTools, Replicates, Workspace

__all__ = ["ClientTools", "Replicates", "Workspace"]
