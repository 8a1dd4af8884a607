"""Faults of a lab: frozen data that can be injected and healed."""

from harness.faults.fault import Fault, injected

__all__ = ["Fault", "injected"]
