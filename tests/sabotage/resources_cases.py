"""Greedy, leaking and limited systems: what the suite `resources` must see through."""

from __future__ import annotations

import os
import resource
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.machine import CHECKOUT
from harness.registry import distribution_config as config
from harness.registry import haproxy
from harness.registry.replicated import ReplicatedRegistry
from harness.scenario import kinds
from harness.scenario.model import MIB
from harness.wait import wait_until
from tests.sabotage.breaking import distribution
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.lab import Lab
    from harness.workload import Published

SCENARIO = CHECKOUT / "tests/sabotage/resources.yaml"
READERS = 16
# States of connections in /proc/net/tcp.
ESTABLISHED, CLOSE_WAIT = "01", "08"
# What each check of suites/resources/test_load.py publishes tells the checks apart.
SLOWLY_READ_MIB, ROUND_MIB, FAST_READ_MIB = 16, 12, 24

# dd has read everything, and holds it, when its reader gets a byte: who takes that one and no more,
# and lets us know. Both stay until the container stops.
HOLD = """
told=$(mktemp -u)
mkfifo "$told"
dd if=/dev/zero bs="$1" count=1 2>/dev/null |
  { head -c 1 >"$told"; exec tail -f /dev/null; } >/dev/null 2>&1 &
[ "$(wc -c <"$told")" -eq 1 ]
"""
BALLAST = 300 * MIB
LEAK = 60 * MIB
# The registry, stopped from outside, answers only when so much processor time is spent: no machine
# is so fast that its readers are done before.
SPIN = "{ (ulimit -t 2; while :; do :; done); kill -CONT 1; } >/dev/null 2>&1 &"

# As a proxy's limit on the size of a request does, and as a firewall for the web does.
LIMIT_BODIES = (
    f"http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {20 * MIB} }}"
)
ALLOW_NO_PATCH = "http-request deny deny_status 405 if { method PATCH }"
LEAKED_CONNECTIONS = 10
TAGS = f"{config.STORAGE_FOLDER}/docker/registry/v2/repositories/$1/_manifests/tags"
REMOVE_SOME_TAGS = f"rm -rf {TAGS}/*7"

PRIMARY = "primary.pullproof.test:5000"
BALANCED = "balanced.pullproof.test:5000"


def _limit(lab: Lab, what: int, most: int) -> None:
    """Limit the registry's process until it starts again, as an operator's ulimit does."""
    resource.prlimit(_pid(lab), what, (most, most))


def _pid(lab: Lab) -> int:
    """Return the registry's process, which is the first one of its container."""
    return int(distribution(lab.primary)._container._inspect().attrs["State"]["Pid"])


def _read_by_haproxy(rule: str) -> Callable[[Lab], None]:
    """Let HAProxy read what passes through it, with a rule of its own for that."""

    def change(lab: Lab) -> None:
        registry = lab.find(kinds.REPLICATED)
        assert isinstance(registry, ReplicatedRegistry)
        file = registry.handle.folder / "load-balancer" / haproxy.CONFIGURATION_FILE
        text = file.read_text().replace("mode tcp", "mode http").replace("tcplog", "httplog")
        changed = text.replace("option httplog", f"option httplog\n  {rule}")
        assert changed != text
        file.write_text(changed)
        registry.load_balancer._container.restart()
        registry.wait_until_healthy()
        registry.wait_until_in_service()

    return change


def _leave_no_file_for_others(lab: Lab, published: Published) -> None:
    """Let the slow clients have all file descriptors: a connection and a file for each.

    The push before them has no connection any more: its descriptor would be left for a pull.
    """
    if _mebibytes(published) == SLOWLY_READ_MIB:
        registry = distribution(lab.primary)
        wait_until(
            lambda: _connections(lab),
            ready=lambda count: not count,
            timeout_seconds=20,
            what="the registry to have no connection",
        )
        _limit(lab, resource.RLIMIT_NOFILE, registry.open_files() + 2 * READERS)


def _connections(lab: Lab) -> int:
    """Count the connections for which the registry holds a descriptor; see proc_net_tcp."""
    tables = Path(f"/proc/{_pid(lab)}/net").glob("tcp*")
    rows = (row.split() for table in tables for row in table.read_text().splitlines()[1:])
    return sum(row[3] in (ESTABLISHED, CLOSE_WAIT) for row in rows)


def _eat_memory(lab: Lab, published: Published) -> None:
    if _mebibytes(published) == SLOWLY_READ_MIB:
        _hold(lab, BALLAST)


def _leak_memory(lab: Lab, published: Published) -> None:
    if _mebibytes(published) == ROUND_MIB:
        _hold(lab, LEAK)


def _hold(lab: Lab, size: int) -> None:
    """Have a process beside the registry hold memory; it does when this returns."""
    _run(lab, HOLD, str(size))


def _leak_connections(lab: Lab, published: Published) -> None:
    """Open connections that nobody ever uses or closes, for as long as this process lives."""
    if _mebibytes(published) == ROUND_MIB:
        endpoint = distribution(lab.primary).endpoint
        for _ in range(LEAKED_CONNECTIONS):
            socket.create_connection((endpoint.address, endpoint.port), timeout=5).detach()


def _spin(lab: Lab, published: Published) -> None:
    if _mebibytes(published) == FAST_READ_MIB:
        os.kill(_pid(lab), signal.SIGSTOP)
        _run(lab, SPIN)


def _remove_some_tags(lab: Lab, published: Published) -> None:
    """Do what a cleaner does that removes too much, whenever somebody pushes."""
    _run(lab, REMOVE_SOME_TAGS, published.repository)


def _run(lab: Lab, script: str, *arguments: str) -> None:
    container = distribution(lab.primary)._container
    done = container.execute(["sh", "-c", script, "sh", *arguments])
    assert done.status == 0, done.stderr


def _mebibytes(published: Published) -> int:
    return published.image.size // MIB


CASES = (
    Case(
        name="proxy-limits-the-size-of-requests",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(lab_started=_read_by_haproxy(LIMIT_BODIES)),
        turns_red={"resources.large-layer-sent-in-one-request-reaches-a-node": Code.PUSH_FAILED},
        subjects=frozenset({BALANCED}),
    ),
    Case(
        name="proxy-lets-no-chunks-pass",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(lab_started=_read_by_haproxy(ALLOW_NO_PATCH)),
        turns_red={"resources.large-layer-sent-in-chunks-reaches-a-node": Code.PUSH_FAILED},
        subjects=frozenset({BALANCED}),
    ),
    Case(
        name="proxy-drops-link-headers",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(lab_started=_read_by_haproxy("http-response del-header Link")),
        turns_red={"resources.pages-of-tags-follow-each-other": Code.LOST_CONTENT},
        subjects=frozenset({BALANCED}),
    ),
    Case(
        name="proxy-drops-queries-of-lists",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(
            lab_started=_read_by_haproxy("http-request set-uri %[path] if { path_end /tags/list }")
        ),
        turns_red={"resources.pages-of-tags-follow-each-other": Code.LISTING},
        subjects=frozenset({BALANCED}),
    ),
    Case(
        name="registry-has-too-few-file-descriptors",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_leave_no_file_for_others),
        turns_red={
            "resources.slow-clients-cost-what-is-stated-and-hold-up-nobody": Code.TARGET_MISSED
        },
        subjects=frozenset({"node-1"}),
    ),
    Case(
        name="registry-eats-memory",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_eat_memory),
        turns_red={
            "resources.slow-clients-cost-what-is-stated-and-hold-up-nobody": Code.TARGET_MISSED
        },
        subjects=frozenset({"primary at 16 concurrent reads"}),
    ),
    Case(
        name="registry-leaks-memory",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_leak_memory),
        turns_red={"resources.what-a-load-took-is-given-back": Code.TARGET_MISSED},
        subjects=frozenset({"primary after 2 rounds of 16 concurrent reads"}),
    ),
    Case(
        name="registry-leaks-connections",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_leak_connections),
        turns_red={"resources.what-a-load-took-is-given-back": Code.TARGET_MISSED},
        subjects=frozenset({"primary after 2 rounds of 16 concurrent reads"}),
    ),
    Case(
        name="registry-burns-processor-time",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_spin),
        turns_red={"resources.reads-cost-no-more-processor-time-than-stated": Code.TARGET_MISSED},
        subjects=frozenset({"primary at 8 concurrent reads"}),
    ),
    Case(
        name="cleaner-removes-tags",
        suite="resources",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_remove_some_tags),
        turns_red={"resources.every-tag-is-listed": Code.LOST_CONTENT},
        subjects=frozenset({PRIMARY}),
    ),
)
