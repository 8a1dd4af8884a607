"""Broken credentials: what the suite `pull_secrets` must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sabotage.case import Case

CASES: tuple[Case, ...] = ()
