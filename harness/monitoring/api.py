"""Prometheus' HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/."""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from harness.errors import HarnessError
from harness.monitoring.protocols import Alert, Sample, Target

PORT: Final = 9090
_TIMEOUT_SECONDS: Final = 5.0
# What it writes for a target that was never scraped.
_NEVER: Final = "0001-01-01"


class PrometheusAPI:
    """One Prometheus, by its address. Each method raises HarnessError where it does not answer."""

    def __init__(self, address: str, port: int = PORT) -> None:
        self._address = address
        self._port = port

    def ready(self) -> bool:
        """Tell whether it serves queries; it does not answer at all before it listens."""
        return self._get("/-/ready").status == HTTPStatus.OK

    def targets(self) -> tuple[Target, ...]:
        """Return all targets as they were last scraped."""
        return tuple(
            Target(
                registry=str(target["labels"]["registry"]),
                error=str(target["lastError"]),
                scraped=_moment(str(target["lastScrape"])),
            )
            for target in self._data("/api/v1/targets?state=active")["activeTargets"]
        )

    def samples(self, query: str, *, at: float) -> tuple[Sample, ...]:
        """Return the figures that a query gives for a moment (an instant vector)."""
        asked = urlencode({"query": query, "time": f"{at:.3f}"})
        found = self._data(f"/api/v1/query?{asked}")["result"]
        return tuple(Sample(dict(one["metric"]), float(one["value"][1])) for one in found)

    def alerts(self) -> tuple[Alert, ...]:
        """Return pending and firing alerts."""
        return tuple(
            Alert(
                name=str(alert["labels"]["alertname"]),
                registry=str(alert["labels"].get("registry", "")),
                state=str(alert["state"]),
            )
            for alert in self._data("/api/v1/alerts")["alerts"]
        )

    def _data(self, path: str) -> Any:  # noqa: ANN401 - JSON
        response = self._get(path)
        try:
            return json.loads(response.data)["data"]
        except (ValueError, LookupError, TypeError) as error:
            words = response.data[:200].decode("utf-8", "replace")
            said = f"Prometheus answered {response.status} to {path}: {words}"
            raise HarnessError(said) from error

    def _get(self, path: str) -> urllib3.BaseHTTPResponse:
        with urllib3.HTTPConnectionPool(
            self._address, self._port, retries=False, timeout=_TIMEOUT_SECONDS
        ) as pool:
            try:
                return pool.request("GET", path)
            except urllib3.exceptions.HTTPError as error:
                raise HarnessError(f"Prometheus does not answer: {error}") from error


def _moment(text: str) -> float:
    """Return seconds since the epoch of a time in RFC 3339, 0 for never."""
    return 0.0 if text.startswith(_NEVER) else datetime.fromisoformat(text).timestamp()
