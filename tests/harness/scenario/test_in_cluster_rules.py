from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.scenario.test_rules import breaches

if TYPE_CHECKING:
    from pathlib import Path

KIND = "cluster: {provider: kind}\ncapabilities: [trust]\n"
INSIDE = "registries:\n  - {name: a, provider: in-cluster, tls: {}}\n"
EXPIRED = INSIDE.replace("tls: {}", "tls: {certificate: expired}")
REPLICATED = INSIDE.replace("tls: {}", "tls: {},\n     replicas: 2")
BESIDE = "  - {name: b, tls: {}}\n"


@pytest.mark.parametrize(
    ("rows", "line", "problem", "remedy"),
    [
        (
            f"capabilities: [trust]\n{INSIDE}",
            5,
            "a runs as a pod, and a cluster of auto may have none",
            "--cluster kind",
        ),
        (
            f"{KIND}registries:\n  - {{name: a, provider: in-cluster}}\n",
            6,
            "a runs as a pod without a certificate that nodes accept",
            "tls: {}",
        ),
        (
            f"{KIND}{EXPIRED}",
            6,
            "a runs as a pod without a certificate that nodes accept",
            "tls: {}",
        ),
        (
            f"{KIND}{INSIDE}  - {{name: b,\n     proxyOf: a}}\n",
            8,
            "b is a cache of a, which only nodes reach",
            "of the provider distribution",
        ),
        (
            f"{KIND}{INSIDE}{BESIDE}replication:\n  - source: a\n    destination: b\n",
            9,
            "a takes part in a replication, but only nodes reach it",
            "of the provider distribution",
        ),
        (
            f"{KIND}{INSIDE}{BESIDE}replication:\n  - source: b\n    destination: a\n",
            10,
            "a takes part in a replication, but only nodes reach it",
            "of the provider distribution",
        ),
        (
            f"cluster: {{provider: kind}}\ncapabilities: [supply_chain]\n{INSIDE}",
            6,
            "only nodes reach a, but programs of supply_chain would have to",
            "Select other capabilities",
        ),
        (
            f"{KIND}{REPLICATED}",
            7,
            "replicas is for the provider distribution, but a is not of it",
            "Remove replicas",
        ),
    ],
)
def test_what_a_registry_inside_a_cluster_cannot_be_is_told(
    tmp_path: Path, rows: str, line: int, problem: str, remedy: str
) -> None:
    assert [
        text
        for text in breaches(tmp_path, rows)
        if text.startswith(f"{line}: ") and problem in text and remedy in text
    ]


def test_registry_inside_a_cluster_of_kind_is_accepted(tmp_path: Path) -> None:
    assert breaches(tmp_path, f"{KIND}{INSIDE}{BESIDE}") == []
