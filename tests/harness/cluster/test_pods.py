from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.cluster.pods import PodOrder, pull_as_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.kubernetes_api import KubernetesAPI

ORDER = PodOrder(reference="r.test/app:v1", node="worker", node_name="kind-worker", namespace="run")
PULLED = {
    "metadata": {"name": "pull-1.18"},
    "type": "Normal",
    "reason": "Pulled",
    "message": 'Successfully pulled image "r.test/app:v1" in 1.5s (2s including waiting).',
}
RUNNING = {"containerStatuses": [{"state": {"running": {}}, "imageID": "r.test/app@sha256:1"}]}


class LateEvents:
    """An API whose pods run before their events have come, which no real one does at will."""

    def __init__(self) -> None:
        self.reads_to_come: float = math.inf
        self.created: dict[str, Any] = {}
        self.deleted: list[str] = []

    def create(self, _collection: str, body: dict[str, Any]) -> dict[str, Any]:
        self.created = body
        return {"metadata": {"uid": "1"}}

    def get(self, _collection: str, **_: object) -> dict[str, Any]:
        self.reads_to_come -= 1
        items = [PULLED] if self.reads_to_come < 0 else []
        return {"items": items, "metadata": {"resourceVersion": "1"}}

    @contextmanager
    def watch(self, _collection: str, **_: object) -> Iterator[list[object]]:
        """End at once, as when the time of a watch is over."""
        yield []

    def find(self, _path: str) -> dict[str, Any]:
        """Show that the pod runs; its event comes a while later."""
        self.reads_to_come = 3
        return {"status": RUNNING}

    def delete(self, path: str, **_: object) -> None:
        self.deleted.append(path)


def test_event_that_its_pods_status_has_overtaken_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.cluster.pods._EVENT_SECONDS", 0)
    api = LateEvents()

    pull = pull_as_pod(cast("KubernetesAPI", api), ORDER)

    assert pull.succeeded
    assert (pull.pulling_seconds, pull.queueing_seconds) == (1.5, 0.5)
    assert len(api.deleted) == 1


@pytest.mark.parametrize("first", [True, False])
def test_secrets_that_come_before_the_image_are_mounted(*, first: bool) -> None:
    api = LateEvents()
    api.reads_to_come = 0

    order = replace(ORDER, pull_secrets=("key",), secrets_first=first)
    pull_as_pod(cast("KubernetesAPI", api), order)

    (container,) = api.created["spec"]["containers"]
    assert api.created["spec"]["imagePullSecrets"] == [{"name": "key"}]
    assert ("volumes" in api.created["spec"], "volumeMounts" in container) == (first, first)
