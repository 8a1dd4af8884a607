from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cluster.existing_nodes import FoundNode, judgeable

if TYPE_CHECKING:
    from harness.kubernetes_api import Json


def node(
    name: str,
    *,
    ready: str | None = "True",
    architecture: str = "amd64",
    system: str = "linux",
    unschedulable: bool = False,
) -> Json:
    conditions = [{"type": "MemoryPressure", "status": "False"}]
    if ready is not None:
        conditions.append({"type": "Ready", "status": ready, "message": "the kubelet is silent"})
    return {
        "metadata": {"name": name},
        "spec": {"unschedulable": True} if unschedulable else {},
        "status": {
            "conditions": conditions,
            "addresses": [
                {"type": "Hostname", "address": name},
                {"type": "InternalIP", "address": "192.0.2.7"},
            ],
            "nodeInfo": {
                "operatingSystem": system,
                "architecture": architecture,
                "containerRuntimeVersion": "containerd://1.7.24",
                "kubeletVersion": "v1.36.3",
            },
        },
    }


def test_all_ready_nodes_are_judged_schedulable_or_not() -> None:
    found, left_out = judgeable([node("b", unschedulable=True), node("a")], "amd64")

    assert [(each.name, each.schedulable) for each in found] == [("a", True), ("b", False)]
    assert found[0] == FoundNode("a", "192.0.2.7", "containerd://1.7.24", "v1.36.3", True)
    assert left_out == ()


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (node("x", ready="False"), "it is not Ready: the kubelet is silent"),
        (node("x", ready="Unknown"), "it is not Ready: the kubelet is silent"),
        (node("x", ready=None), "it is not Ready: it has not told anything yet"),
        (node("x", architecture="arm64"), "it is of the platform linux/arm64"),
        (node("x", system="windows"), "it is of the platform windows/amd64"),
    ],
)
def test_node_that_cannot_be_judged_is_named_with_its_reason(left: Json, why: str) -> None:
    found, left_out = judgeable([left, node("a")], "amd64")

    assert [each.name for each in found] == ["a"]
    assert len(left_out) == 1
    assert left_out[0].startswith(f"node x is left out: {why}")


def test_node_without_an_address_is_judged_all_the_same() -> None:
    bare = node("a")
    del bare["status"]["addresses"]

    assert judgeable([bare], "amd64")[0][0].address == ""
