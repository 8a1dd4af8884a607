from __future__ import annotations

from http import HTTPStatus

from harness.registry import haproxy
from harness.registry.protocols import Session

# Written by HAProxy 3.0.
LOG = """\
[NOTICE]   (6) : Loading success.
172.19.0.1:60942 [26/Nov/2026:10:28:13.541] registry replicas/ha-1 1/0/76 1345 -- 1/1/0/0/0 0/0
172.19.0.6:52294 [26/Nov/2026:10:28:16.974] registry replicas/ha-1 1/0/3 1404 CD 4/4/3/1/0 0/0
172.19.0.5:52300 [26/Nov/2026:10:28:17.001] registry replicas/ha-1 1/0/+3 140 SD 4/4/3/1/0 0/0
172.19.0.5:52302 [26/Nov/2026:10:28:17.021] registry replicas/ha-2 1/1/54 9000 -- 4/4/3/1/+1 0/0
172.19.0.5:52304 [26/Nov/2026:10:28:17.030] registry replicas/<NOSRV> -1/-1/0 0 SC 1/1/0/0/3 0/0
Server replicas/ha-1 is DOWN, reason: Layer4 connection problem, info: "Connection refused".
"""
STATISTICS = """\
# pxname,svname,qcur,status,weight
registry,FRONTEND,,OPEN,
replicas,ha-1,0,UP,1
replicas,ha-2,0,DOWN,1
replicas,ha-3,0,UP 1/2,1
replicas,ha-4,0,no check,1
replicas,BACKEND,0,UP,1
statistics,FRONTEND,,OPEN,
statistics,BACKEND,0,UP,0
"""


def test_refusing_server_answers_everything_with_an_error_of_the_specification() -> None:
    limited = haproxy.refusing(HTTPStatus.TOO_MANY_REQUESTS, port=5000, certificate="/a.pem")
    away = haproxy.refusing(HTTPStatus.SERVICE_UNAVAILABLE, port=5000, certificate=None)

    assert "  bind :5000 ssl crt /a.pem\n" in limited
    assert "return status 429 " in limited
    assert '{"errors": [{"code": "TOOMANYREQUESTS", "message": "too many requests"}]}' in limited
    assert "  bind :5000\n" in away
    assert "return status 503 " in away
    assert '"code": "UNAVAILABLE"' in away


def test_configuration_sends_to_all_servers_and_asks_for_their_health() -> None:
    text = haproxy.configuration(
        [("ha-1", "1.ha.test"), ("ha-2", "2.ha.test")],
        port=5000,
        health_port=5001,
        health_path="/debug/health",
    )

    assert "  server ha-1 1.ha.test:5000\n  server ha-2 2.ha.test:5000\n" in text
    assert "  tcp-check connect port 5001\n" in text
    assert "  tcp-check send GET\\ /debug/health\\ HTTP/1.0\\r\\n\\r\\n\n" in text
    assert "ssl" not in text


def test_servers_are_verified_as_clients_verify_them() -> None:
    text = haproxy.configuration(
        [("ha-1", "1.ha.test")],
        port=5000,
        health_port=5001,
        health_path="/debug/health",
        verified_name="ha.test",
    )

    assert "  tcp-check connect port 5000 ssl sni ha.test\n" in text
    assert "verify required ca-file /usr/local/etc/haproxy/authority.pem no-ssl-reuse\n" in text


def test_sessions_tell_whom_they_reached_and_how_they_ended() -> None:
    assert haproxy.sessions(LOG) == (
        Session("172.19.0.1", "ha-1", redispatched=False),
        Session("172.19.0.6", "ha-1", redispatched=False),
        Session("172.19.0.5", "ha-1", redispatched=False),
        Session("172.19.0.5", "ha-2", redispatched=True),
        Session("172.19.0.5", "", redispatched=False),
    )


def test_servers_in_service_are_those_that_get_connections() -> None:
    assert haproxy.in_service(STATISTICS) == ("ha-1", "ha-3", "ha-4")
