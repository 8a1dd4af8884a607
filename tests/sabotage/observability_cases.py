"""Registries that tell too little of themselves: what the suite `observability` must notice."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.machine import CHECKOUT
from harness.monitoring import configuration as config
from harness.monitoring.container import PrometheusContainer
from tests.sabotage.breaking import distribution, restart_registry
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from tests.sabotage.breaking import Document

SCENARIO = CHECKOUT / "tests/sabotage/observability.yaml"
PRIMARY = "primary.pullproof.test:5000"

# Stands before the registry and lets its log through, but for blobs that were fetched.
FORGETFUL = rb"""#!/bin/sh
docker-registry "$@" 2>&1 | while IFS= read -r line; do
  case $line in *'"GET /v2/'*/blobs/*) ;; *) printf '%s\n' "$line" ;; esac
done
"""


def _switch_metrics_off(lab: Lab) -> None:
    def switch_off(document: Document) -> None:
        del document["http"]["debug"]

    restart_registry(lab.primary, switch_off)


def _scrape_a_page_of_the_past(lab: Lab) -> None:
    """Let Prometheus read what a cache once took from the registry."""
    registry = distribution(lab.primary)
    page = registry.metrics().encode()

    class Cache(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Tell nobody."""

    networks = registry._container._inspect().attrs["NetworkSettings"]["Networks"]
    (gateway,) = (network["Gateway"] for network in networks.values())
    server = ThreadingHTTPServer((gateway, 0), Cache)
    Thread(target=server.serve_forever, daemon=True).start()
    target = f"{gateway}:{server.server_port}"
    _reconfigure(lab, {config.CONFIGURATION_FILE: config.configuration("primary", target)})


def _drop_storage_actions(lab: Lab) -> None:
    """Drop a metric before it is kept, as those do who fear many series."""
    file = _monitor(lab).handle.folder / config.CONFIGURATION_FILE
    document = json.loads(file.read_text())
    (job,) = document["scrape_configs"]
    job["metric_relabel_configs"] = [
        {"source_labels": ["__name__"], "regex": "registry_storage_.*", "action": "drop"}
    ]
    _reconfigure(lab, {file.name: json.dumps(document)})


def _expect_another_value(lab: Lab) -> None:
    """Write a rule that nothing ever meets."""
    rules = config.RULES.read_text().replace("== 0", "== 2")
    _reconfigure(lab, {config.RULES.name: rules, config.LAB_RULES_FILE: config.lab_rules(rules)})


def _reconfigure(lab: Lab, files: dict[str, str]) -> None:
    """Change files of Prometheus and start it again, so that it reads them."""
    monitor = _monitor(lab)
    for name, text in files.items():
        (monitor.handle.folder / name).write_text(text)
    monitor._container.kill()
    monitor._container.start()
    monitor.wait_until_ready()


def _monitor(lab: Lab) -> PrometheusContainer:
    assert isinstance(lab.monitor, PrometheusContainer)
    return lab.monitor


def _log_no_blobs(lab: Lab) -> None:
    registry = distribution(lab.primary)
    registry._container.put_file("/usr/bin/registry", FORGETFUL, mode=0o755)
    registry._container.kill()
    registry._container.start()
    registry.wait_until_healthy()


SCRAPED = "observability.registry-is-scraped"
REQUESTS = "observability.requests-are-counted-as-they-are-logged"
STORAGE = "observability.storage-actions-are-counted"
LOG = "observability.access-log-accounts-for-every-pull"
RULES = "observability.alert-rules-are-sound"
ALERT = "observability.alert-fires-while-the-registry-is-gone"


def _case(
    name: str, sabotage: Sabotage, turns_red: dict[str, Code], *further_subjects: str
) -> Case:
    return Case(
        name=name,
        suite="observability",
        sabotage=sabotage,
        turns_red=turns_red,
        subjects=frozenset({PRIMARY, *further_subjects}),
        scenario=SCENARIO,
    )


CASES = (
    _case(
        "metrics-are-switched-off",
        Sabotage(lab_started=_switch_metrics_off),
        {
            SCRAPED: Code.METRICS,
            REQUESTS: Code.METRICS,
            STORAGE: Code.METRICS,
            ALERT: Code.ALERTS,
        },
    ),
    _case(
        "metrics-never-move",
        Sabotage(lab_started=_scrape_a_page_of_the_past),
        {REQUESTS: Code.METRICS, STORAGE: Code.METRICS, ALERT: Code.ALERTS},
    ),
    _case(
        "metrics-of-storage-are-dropped",
        Sabotage(lab_started=_drop_storage_actions),
        {STORAGE: Code.METRICS},
    ),
    _case(
        "access-log-misses-blobs",
        Sabotage(lab_started=_log_no_blobs),
        {LOG: Code.ACCESS_LOG, REQUESTS: Code.METRICS},
    ),
    _case(
        "alert-never-fires",
        Sabotage(lab_started=_expect_another_value),
        {RULES: Code.ALERTS, ALERT: Code.ALERTS},
        config.TESTS.name,
    ),
)
