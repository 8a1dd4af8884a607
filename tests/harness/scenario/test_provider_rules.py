from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.scenario.test_rules import breaches

if TYPE_CHECKING:
    from pathlib import Path

EXISTING = "cluster: {provider: existing}\n"
FOUND = "{name: a, provider: existing, host: registry.example.test}"


@pytest.mark.parametrize(
    ("rows", "line", "problem"),
    [
        (f"{EXISTING}registries:\n  - {{name: a, provider: existing}}\n", 5, "its host is missing"),
        (
            f"{EXISTING}registries:\n  - {FOUND[:-1]},\n     plainHttp: true, caFile: none.pem}}\n",
            6,
            "a speaks plain HTTP, so no caFile can judge it",
        ),
        (
            f"{EXISTING}registries:\n  - {FOUND[:-1]},\n     mirrorOf: b}}\n  - {FOUND[:-1]}}}\n",
            6,
            "mirrorOf is for the provider distribution, but a is not of it",
        ),
        (
            f"{EXISTING}registries:\n  - {FOUND[:-1]},\n     replicas: 2}}\n",
            6,
            "replicas is for the provider distribution, but a is not of it",
        ),
        (
            f"{EXISTING}registries:\n  - {FOUND[:-1]},\n     auth: {{type: htpasswd}}}}\n",
            6,
            "auth is for the provider distribution or in-cluster, but a is not of it",
        ),
        (
            'registries:\n  - {name: a,\n     host: "registry:5000"}\n',
            5,
            "host is for the provider existing, but a is not of it",
        ),
        (
            f"{EXISTING}registries:\n  - {{name: a}}\n",
            5,
            "the cluster exists already, but a would be built in a lab",
        ),
        (f"registries:\n  - {FOUND}\n", 4, "a exists already, but nodes of a lab do not reach it"),
    ],
)
def test_what_fits_only_another_provider_is_told_with_its_line(
    tmp_path: Path, rows: str, line: int, problem: str
) -> None:
    told = [text for text in breaches(tmp_path, rows) if problem in text]

    assert told
    assert told[0].startswith(f"{line}: ")


def test_existing_registry_and_cluster_are_accepted(tmp_path: Path) -> None:
    assert breaches(tmp_path, f"{EXISTING}registries:\n  - {FOUND}\n") == []
