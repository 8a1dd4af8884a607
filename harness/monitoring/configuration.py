"""The configuration of a lab's Prometheus; pure."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

# The rules that are shipped, and their tests.
RULES: Final = Path(__file__).parents[2] / "alerts" / "registry.rules.yaml"
TESTS: Final = RULES.with_name("registry.tests.yaml")

CONFIGURATION_FILE: Final = "prometheus.yml"
LAB_RULES_FILE: Final = "lab.rules.yaml"

SCRAPE_SECONDS: Final = 0.5
# In a lab nobody waits for minutes: only how long a condition must last differs from the rules
# that are shipped.
LASTING: Final = "1s"

_FOR: Final = re.compile(r"^(\s*for:) .+$", re.MULTILINE)


def configuration(registry: str, target: str) -> str:
    """Return the text of the configuration: one registry, scraped at `target` (host and port).

    Its figures have the labels that the rules expect: `job` and `registry`.
    """
    interval = f"{SCRAPE_SECONDS * 1000:.0f}ms"
    document = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "rule_files": [LAB_RULES_FILE],
        "scrape_configs": [
            {
                "job_name": "registry",
                "static_configs": [{"targets": [target], "labels": {"registry": registry}}],
            }
        ],
    }
    return json.dumps(document, indent=2)


def lab_rules(rules: str) -> str:
    """Return rules whose conditions need last no longer than a lab has time for."""
    return _FOR.sub(rf"\1 {LASTING}", rules)
