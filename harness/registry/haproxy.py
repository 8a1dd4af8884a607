"""What HAProxy is told as the load balancer of replicas, and what it tells; pure.

Keywords and formats: the HAProxy configuration manual, and its management guide for statistics.
"""

from __future__ import annotations

import csv
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from harness.registry.protocols import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIGURATION_FOLDER: Final = "/usr/local/etc/haproxy"
CONFIGURATION_FILE: Final = "haproxy.cfg"
CERTIFICATE_FILE: Final = "registry.pem"
AUTHORITY_FILE: Final = "authority.pem"
STATISTICS_PORT: Final = 8404
STATISTICS_PATH: Final = "/statistics;csv"

# Replicas are asked for their health at the port of their metrics: plain HTTP, which costs no
# handshake and stays out of their access log. A connection alone would not do, because the
# kernel accepts it for a process that is frozen.
# One that answers there may still present a certificate that clients refuse, as after a renewal
# that went wrong, so a first connection shakes hands as they do; never by a session of before,
# which would show no certificate. It may take the whole interval, so that a busy machine is not
# taken for a dead one; what failed is tried again soon, so that a dead one is known after 3 s.
# A replica that was started again may have another address, so its name is resolved all the time.
# A machine that vanishes ends no connection, so those with replicas are probed: a transfer in the
# midst of a layer would stand still for a minute. To end all sessions of a replica that is marked
# down makes connections hang that are just being opened.
# `redispatch 1` tries another replica at once when one refuses a connection.
_CONFIGURATION: Final = """\
global
  log stdout format raw local0 info
defaults
  mode tcp
  log global
  option redispatch 1
  retries 3
  option srvtcpka
  srvtcpka-idle 1s
  srvtcpka-intvl 1s
  srvtcpka-cnt 2
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout check 1s
resolvers engine
  nameserver engine 127.0.0.11:53
  timeout resolve 300ms
  timeout retry 300ms
  hold valid 300ms
frontend registry
  option tcplog
  bind :{port}
  default_backend replicas
backend replicas
  balance roundrobin
  option tcp-check
{handshake}  tcp-check connect port {health_port}
  tcp-check send GET\\ {health_path}\\ HTTP/1.0\\r\\n\\r\\n
  tcp-check expect rstring ^HTTP/1[.][01]\\ 200
  default-server check inter 600ms fastinter 100ms downinter 300ms fall 3 rise 2
  default-server resolvers engine init-addr last,libc,none
{servers}
frontend statistics
  bind :{statistics_port}
  mode http
  no log
  stats enable
  stats uri /statistics
"""
_HANDSHAKE: Final = f"""\
  tcp-check connect port {{port}} ssl sni {{name}}
  default-server verify required ca-file {CONFIGURATION_FOLDER}/{AUTHORITY_FILE} no-ssl-reuse
"""
_REFUSING: Final = """\
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
frontend registry
  bind :{port}{tls}
  http-request return status {status} content-type application/json string '{body}'
"""
_ERROR_CODES: Final = {HTTPStatus.TOO_MANY_REQUESTS: "TOOMANYREQUESTS"}
_BACKEND: Final = "replicas"
# A server whose health nobody checks gets connections whatever it does; one that has failed its
# last check, but not enough of them, is `UP 1/2` and gets them as well.
_SERVING: Final = ("UP", "no check")
# `option tcplog`: client, time, frontend, backend/server, times, bytes, how it ended, counts.
_SESSION: Final = re.compile(
    rf"(?P<client>\S+):\d+ \[[^\]]+\] registry {_BACKEND}/(?P<server>\S+) [-\d]+/[-\d]+/\+?\d+ "
    r"\+?\d+ \S\S \d+/\d+/\d+/\d+/(?P<retries>\+?\d+) \d+/\d+"
)


def configuration(
    servers: Sequence[tuple[str, str]],
    *,
    port: int,
    health_port: int,
    health_path: str,
    verified_name: str = "",
) -> str:
    """Return the text of a configuration that sends connections to servers in turn.

    `servers` are names and the DNS names behind them. TLS passes through. Servers must present a
    certificate for `verified_name` that the authority in AUTHORITY_FILE signed, unless it is empty.
    """
    lines = (f"  server {name} {address}:{port}" for name, address in servers)
    return _CONFIGURATION.format(
        port=port,
        health_port=health_port,
        health_path=health_path,
        statistics_port=STATISTICS_PORT,
        handshake=_HANDSHAKE.format(port=port, name=verified_name) if verified_name else "",
        servers="\n".join(lines),
    )


def refusing(status: HTTPStatus, *, port: int, certificate: str | None) -> str:
    """Return the text of a configuration that answers every request with an error.

    The body is one of the distribution specification. `certificate` is a file with certificate
    and key, None for plain HTTP.
    """
    code = _ERROR_CODES.get(status, "UNAVAILABLE")
    return _REFUSING.format(
        port=port,
        tls=f" ssl crt {certificate}" if certificate else "",
        status=int(status),
        body=json.dumps({"errors": [{"code": code, "message": status.phrase.lower()}]}),
    )


def sessions(log: str) -> tuple[Session, ...]:
    """Return the connections that a log tells of, in the order of their ends."""
    found = (_SESSION.search(line) for line in log.splitlines())
    return tuple(
        Session(
            client=match["client"],
            server="" if match["server"] == "<NOSRV>" else match["server"],
            redispatched=match["retries"].startswith("+"),
        )
        for match in found
        if match
    )


def in_service(statistics: str) -> tuple[str, ...]:
    """Return the names of the servers that get connections now, from statistics as CSV."""
    rows = csv.DictReader(statistics.removeprefix("# ").splitlines())
    return tuple(
        row["svname"]
        for row in rows
        if row["pxname"] == _BACKEND
        and row["svname"] != "BACKEND"
        and row["status"].startswith(_SERVING)
    )
