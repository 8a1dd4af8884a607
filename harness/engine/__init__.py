"""The Docker engine: the machine's own, or a private one that leaves the machine as it was."""

from harness.engine.archives import TornArchiveError
from harness.engine.client import Engine
from harness.engine.containers import Bind, Container, ContainerHandle, ContainerSpec
from harness.engine.networks import Network
from harness.engine.opening import open_engine

__all__ = [
    "Bind",
    "Container",
    "ContainerHandle",
    "ContainerSpec",
    "Engine",
    "Network",
    "TornArchiveError",
    "open_engine",
]
