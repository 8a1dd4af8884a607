"""What watches over registries: a Prometheus in the lab's network, with the alerts shipped here."""

from harness.monitoring.protocols import Alert, Monitors, Sample, Target

__all__ = ["Alert", "Monitors", "Sample", "Target"]
