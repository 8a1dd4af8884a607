"""Pulls on many nodes at once, timed by their kubelets and read from the Kubernetes API."""

from harness.fleet.figures import MEASURE, FleetFigures
from harness.fleet.manifest import SampleOrder
from harness.fleet.measuring import Fleet, time_limit_seconds

__all__ = [
    "MEASURE",
    "Fleet",
    "FleetFigures",
    "SampleOrder",
    "time_limit_seconds",
]
