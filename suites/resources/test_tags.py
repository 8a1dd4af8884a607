"""Repositories with many tags."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fixtures.workload import accepted
from harness import checks, oci, workload
from harness.pool import Pool
from harness.result.model import Measurement

if TYPE_CHECKING:
    from fixtures.recorder import Judge, Recorder
    from fixtures.workload import Publish, Push
    from harness.lab import Lab

PUSHERS = 8


@pytest.mark.exclusive
def test_every_tag_is_listed(
    lab: Lab, publish: Publish, push: Push, recorder: Recorder, judge: Judge
) -> None:
    """Every tag of a repository with many of them is listed once, also after a further push."""
    registry = lab.primary
    api, count = registry.api(), lab.scenario.resources.tags
    image = publish(registry)
    names = [f"{number:05}" for number in range(count)]
    with accepted(registry, f"{count} tags of one image"), Pool(PUSHERS) as pool:
        list(
            pool.map(
                lambda tag: api.put_manifest(image.image.manifest, image.repository, tag), names
            )
        )
    push(oci.image(), image.repository, registry)
    started = time.monotonic()
    pages = api.tag_pages(image.repository)
    seconds = time.monotonic() - started
    judge(checks.listed_once(registry.host, [*names, workload.TAG], pages))
    recorder.measure(
        Measurement(
            name="tag_list_seconds",
            unit="seconds",
            value=seconds,
            statistic="max",
            samples=1,
            subject=f"{registry.spec.name} with {count} tags",
        )
    )
