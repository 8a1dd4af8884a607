"""Repositories with many tags."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fixtures.workload import accepted
from harness import checks, oci, workload
from harness.pool import Pool
from harness.result.model import Measurement
from harness.scenario import kinds

if TYPE_CHECKING:
    from fixtures.recorder import Judge, Recorder
    from fixtures.workload import Publish, Push
    from harness.lab import Lab
    from harness.registry.protocols import Registry
    from harness.workload import Published

PUSHERS = 8
PAGES = 4

pytestmark = pytest.mark.exclusive


def test_every_tag_is_listed(
    lab: Lab, publish: Publish, push: Push, recorder: Recorder, judge: Judge
) -> None:
    """Every tag of a repository with many of them is listed once, also after a further push."""
    registry = lab.primary
    image = publish(registry)
    names = _tag_often(lab, registry, image)
    push(oci.image(), image.repository, registry)
    started = time.monotonic()
    pages = registry.api().tag_pages(image.repository)
    seconds = time.monotonic() - started
    judge(checks.listed_once(registry.host, [*names, workload.TAG], pages))
    recorder.measure(
        Measurement(
            name="tag_list_seconds",
            unit="seconds",
            value=seconds,
            statistic="max",
            samples=1,
            subject=f"{registry.spec.name} with {len(names)} tags",
        )
    )


def test_pages_of_tags_follow_each_other(lab: Lab, publish: Publish, judge: Judge) -> None:
    """Tags asked for in pages come so, complete and in order, and go on behind any of them."""
    registry = lab.find(kinds.LISTS_IN_PAGES)
    api, image = registry.api(), publish(registry)
    names = [*_tag_often(lab, registry, image), workload.TAG]
    entries = len(names) // PAGES
    whole = api.tag_pages(image.repository, entries=entries)
    last = names[len(names) // 2]
    rest = api.tag_pages(image.repository, entries=entries, last=last)
    judge(
        checks.listed_once(registry.host, names, whole),
        checks.in_pages(registry.host, whole, entries=entries),
        checks.listed_once(registry.host, [name for name in names if name > last], rest),
        checks.in_pages(registry.host, rest, entries=entries, last=last),
    )


def _tag_often(lab: Lab, registry: Registry, image: Published) -> list[str]:
    """Give an image as many tags as the scenario says, and return them in lexical order."""
    api, count = registry.api(), lab.scenario.resources.tags
    names = [f"{number:05}" for number in range(count)]

    def tag(name: str) -> None:
        api.put_manifest(image.image.manifest, image.repository, name)

    with accepted(registry, f"{count} tags of one image"), Pool(PUSHERS) as pool:
        list(pool.map(tag, names))
    return names
