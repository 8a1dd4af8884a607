from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.scenario.test_rules import PRIMARY, breaches

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("registry", "problem"),
    [
        (
            "{name: a,\n     link: {}}",
            "the link of a is neither limited nor delayed\n  remedy: Add rateMbit, delayMs or both",
        ),
        (
            "{name: a, replicas: 2,\n     link: {rateMbit: 10}}",
            "a has replicas, but a link is that of one server\n  remedy: Remove link, or replicas",
        ),
        (
            "{name: a,\n     link: {delayMs: 0}}",
            "registries[1].link.delayMs cannot be the number 0",
        ),
    ],
)
def test_link_that_cannot_be_is_refused(tmp_path: Path, registry: str, problem: str) -> None:
    [found] = breaches(tmp_path, f"{PRIMARY}  - {registry}\n")
    assert found.startswith(f"6: {problem}")


@pytest.mark.parametrize("link", ["rateMbit: 1", "delayMs: 40", "rateMbit: 50, delayMs: 40"])
def test_link_may_be_limited_delayed_or_both(tmp_path: Path, link: str) -> None:
    assert breaches(tmp_path, f"{PRIMARY}  - {{name: a, link: {{{link}}}}}\n") == []
