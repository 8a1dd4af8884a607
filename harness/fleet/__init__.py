"""Pulls on many nodes at once, timed by their kubelets and read from the Kubernetes API."""

from harness.fleet.figures import MEASURE, FleetFigures
from harness.fleet.manifest import SampleOrder
from harness.fleet.measuring import list_nodes, pull_everywhere, time_limit_seconds

__all__ = [
    "MEASURE",
    "FleetFigures",
    "SampleOrder",
    "list_nodes",
    "pull_everywhere",
    "time_limit_seconds",
]
