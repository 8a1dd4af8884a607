"""Judges lists that a registry gives of what it holds."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 5


def listed_once(
    host: str, tags: Sequence[str], pages: Sequence[Sequence[str]]
) -> tuple[Finding, ...]:
    """Find tags that no page of a list names, or that several pages or entries name."""
    times = Counter(entry for page in pages for entry in page)
    missing = [tag for tag in tags if not times[tag]]
    repeated = [tag for tag, count in times.items() if count > 1]
    found = []
    if missing:
        evidence = f"of {len(tags)} tags it lists all but {_some(missing)}"
        remedy = "look for what deletes tags, and for a limit on the length of lists"
        found.append(Finding(Code.LOST_CONTENT, host, evidence, remedy))
    if repeated:
        evidence = f"it lists more than once {_some(repeated)}"
        remedy = "look for a proxy that drops `last` from the query, or replicas that differ"
        found.append(Finding(Code.LISTING, host, evidence, remedy))
    return tuple(found)


def in_pages(
    host: str, pages: Sequence[Sequence[str]], *, entries: int, last: str = ""
) -> tuple[Finding, ...]:
    """Find what is wrong with pages of at most so many tags that were to begin behind `last`.

    Tags stand in lexical order
    (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags).
    """
    tags = [last, *(entry for page in pages for entry in page)]
    problems = []
    if longest := [len(page) for page in pages if len(page) > entries]:
        problems.append(f"asked for pages of {entries} tags it gives one of {longest[0]}")
    if disorder := [tag for before, tag in pairwise(tags) if tag <= before]:
        problems.append(f"tags do not follow the one before in lexical order: {_some(disorder)}")
    remedy = "look for a proxy that drops the query of requests, or for replicas that differ"
    return tuple(Finding(Code.LISTING, host, problem, remedy) for problem in problems)


def _some(tags: Sequence[str]) -> str:
    shown = ", ".join(tags[:_SHOWN])
    return shown if len(tags) <= _SHOWN else f"{shown} and {len(tags) - _SHOWN} more"
