"""What Prometheus' API answers, and what is made of an answer that is none."""

from __future__ import annotations

import json

import pytest

from harness.errors import HarnessError
from harness.monitoring.api import PrometheusAPI
from harness.monitoring.protocols import Alert, Sample, Target
from tests.harness.distribution_api.scripted_server import Answer, ScriptedServer

QUERY = 'up{registry="primary"}'
PATH = "/api/v1/query?query=up%7Bregistry%3D%22primary%22%7D&time=1767319445.500"
MOMENT = 1767319445.5


def answering(path: str, data: object) -> ScriptedServer:
    return ScriptedServer({("GET", path): Answer(200, json.dumps({"data": data}).encode())})


def test_target_tells_when_and_how_it_was_scraped() -> None:
    targets = [
        {
            "labels": {"registry": "primary", "job": "registry"},
            "lastError": "connection refused",
            "lastScrape": "2026-01-02T03:04:05.5+01:00",
        },
        {
            "labels": {"registry": "new"},
            "lastError": "",
            "lastScrape": "0001-01-01T00:00:00Z",
        },
    ]
    with answering("/api/v1/targets?state=active", {"activeTargets": targets}) as server:
        found = PrometheusAPI("127.0.0.1", server.port).targets()

    assert found == (
        Target("primary", "connection refused", 1767319445.5),
        Target("new", "", 0.0),
    )


def test_figures_come_with_their_labels() -> None:
    result = [{"metric": {"registry": "primary"}, "value": [1767319445.5, "1"]}]
    with answering(PATH, {"resultType": "vector", "result": result}) as server:
        found = PrometheusAPI("127.0.0.1", server.port).samples(QUERY, at=MOMENT)

    assert found == (Sample({"registry": "primary"}, 1.0),)


def test_alerts_come_with_their_states() -> None:
    alerts = [
        {"labels": {"alertname": "RegistryDown", "registry": "primary"}, "state": "firing"},
        {"labels": {"alertname": "Watchdog"}, "state": "pending"},
    ]
    with answering("/api/v1/alerts", {"alerts": alerts}) as server:
        found = PrometheusAPI("127.0.0.1", server.port).alerts()

    assert found == (
        Alert("RegistryDown", "primary", "firing"),
        Alert("Watchdog", "", "pending"),
    )


def test_prometheus_that_starts_is_not_ready() -> None:
    starting = Answer(503, b"Service Unavailable")
    with ScriptedServer({("GET", "/-/ready"): starting}) as server:
        assert not PrometheusAPI("127.0.0.1", server.port).ready()
    with ScriptedServer({("GET", "/-/ready"): Answer(200)}) as server:
        assert PrometheusAPI("127.0.0.1", server.port).ready()


def test_answer_that_is_no_data_is_told_with_its_words() -> None:
    refusal = Answer(400, b'{"status": "error", "error": "parse error"}')
    with (
        ScriptedServer({("GET", PATH): refusal}) as server,
        pytest.raises(HarnessError, match=r"answered 400 to .*parse error"),
    ):
        PrometheusAPI("127.0.0.1", server.port).samples(QUERY, at=MOMENT)


def test_silence_is_told_as_such() -> None:
    with ScriptedServer({}) as server:
        port = server.port

    with pytest.raises(HarnessError, match="Prometheus does not answer"):
        PrometheusAPI("127.0.0.1", port).alerts()
