"""What a run is going to do, told before it does anything: `nox -s plan`."""

from harness.plan.making import plan_of
from harness.plan.model import Plan
from harness.plan.text import as_text

__all__ = ["Plan", "as_text", "plan_of"]
