"""Waits for objects of the API by watching them, so that a change is seen when it happens."""

from __future__ import annotations

import math
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness.kubernetes_api import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.kubernetes_api import Json, KubernetesAPI


def watch_until(
    api: KubernetesAPI,
    collection: str,
    accept: Callable[[Json], bool],
    *,
    timeout_seconds: float,
    **selectors: str,
) -> Json | None:
    """Return the first object of a collection that `accept` takes, None when time is over.

    `selectors` are `labelSelector` and `fieldSelector`. What is there already is offered too,
    what is deleted is not.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        page = api.get(collection, **selectors)
        found: list[Json] = [item for item in page.get("items") or () if accept(item)]
        if found:
            return found[0]
        left = math.ceil(deadline - time.monotonic())
        if left <= 0:
            return None
        version = str(page["metadata"]["resourceVersion"])
        changed = _change(
            api, collection, accept, version=version, seconds=left, selectors=selectors
        )
        if changed is not None:
            return changed


def _change(
    api: KubernetesAPI,
    collection: str,
    accept: Callable[[Json], bool],
    *,
    version: str,
    seconds: int,
    selectors: dict[str, str],
) -> Json | None:
    """Return the first change that `accept` takes, None where the watch has ended before."""
    try:
        with api.watch(
            collection, resource_version=version, timeout_seconds=seconds, **selectors
        ) as changes:
            for change in changes:
                if change.type in ("ADDED", "MODIFIED") and accept(change.object):
                    return change.object
    except KubernetesError as error:
        # What the list told is too old already: it is read again.
        if error.status != HTTPStatus.GONE:
            raise
    return None
