"""Mirrors: asked in the order of hosts.toml, proven by who served what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import checks
from harness.lab import ability
from harness.registry.protocols import KeepsAccessLog

if TYPE_CHECKING:
    from fixtures.recorder import Judge
    from fixtures.workload import Publish, Pull
    from harness.lab import Lab


@pytest.mark.failure_modes(1)
def test_mirror_serves_what_only_it_has(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """A tag that only the mirror holds is pulled under the origin's name, naming the origin."""
    origin, first, _ = lab.mirrored()
    log = ability(first, KeepsAccessLog)
    image = publish(first)
    mark = log.mark()
    judge(checks.all_succeeded(pull(image.at(origin.host), origin.credentials)))
    served = log.requests_since(mark)
    judge(checks.served_by(served, image.repository, lab.nodes))
    judge(checks.names_origin(served, image.repository, origin.host, lab.nodes))


def test_first_mirror_comes_before_all_others(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """What the mirrors and the origin all hold is served by the first mirror alone."""
    origin, first, second = lab.mirrored()
    image = publish(origin, first, second)
    logs = [ability(registry, KeepsAccessLog) for registry in (first, second, origin)]
    marks = [log.mark() for log in logs]
    judge(checks.all_succeeded(pull(image.reference, origin.credentials)))
    by_first, by_second, by_origin = (
        log.requests_since(mark) for log, mark in zip(logs, marks, strict=True)
    )
    judge(checks.served_by(by_first, image.repository, lab.nodes))
    judge(checks.not_asked(second.host, by_second, image.repository, lab.nodes))
    judge(checks.not_asked(origin.host, by_origin, image.repository, lab.nodes))


def test_origin_serves_what_mirrors_lack(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge
) -> None:
    """A tag that no mirror holds comes from the origin, after the mirrors were asked."""
    origin, first, second = lab.mirrored()
    logs = [ability(registry, KeepsAccessLog) for registry in (first, second, origin)]
    image = publish(origin)
    marks = [log.mark() for log in logs]
    judge(checks.all_succeeded(pull(image.reference, origin.credentials)))
    asked_first, asked_second, served = (
        log.requests_since(mark) for log, mark in zip(logs, marks, strict=True)
    )
    judge(checks.asked_in_vain(first.host, asked_first, image.repository, lab.nodes))
    judge(checks.asked_in_vain(second.host, asked_second, image.repository, lab.nodes))
    judge(checks.served_by(served, image.repository, lab.nodes))
