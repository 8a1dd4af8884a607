from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.cluster.access import Access, access_to
from harness.errors import HarnessError
from harness.scenario.model import ClusterSpec

if TYPE_CHECKING:
    from pathlib import Path

EXISTING = ClusterSpec(provider="existing")


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    file = tmp_path / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "here",
            }
        )
    )
    return file


def test_named_file_comes_before_the_environment(kubeconfig: Path) -> None:
    found = access_to(
        EXISTING, kubeconfig=kubeconfig, context="here", environment={"KUBECONFIG": "/nonexistent"}
    )

    assert found == Access(kubeconfig, "here")


def test_environment_names_the_file(kubeconfig: Path) -> None:
    found = access_to(
        EXISTING, kubeconfig=None, context=None, environment={"KUBECONFIG": str(kubeconfig)}
    )

    assert found == Access(kubeconfig, None)


@pytest.mark.parametrize(
    ("environment", "told"),
    [({}, "none is given"), ({"KUBECONFIG": ""}, "none"), ({"KUBECONFIG": "a:b"}, "several files")],
)
def test_cluster_that_exists_is_never_guessed(environment: dict[str, str], told: str) -> None:
    with pytest.raises(HarnessError, match=told) as caught:
        access_to(EXISTING, kubeconfig=None, context=None, environment=environment)

    assert "--kubeconfig FILE" in caught.value.remedy


def test_unknown_context_is_refused(kubeconfig: Path) -> None:
    with pytest.raises(HarnessError, match="there"):
        access_to(EXISTING, kubeconfig=kubeconfig, context="there", environment={})


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no-such-file"):
        access_to(EXISTING, kubeconfig=tmp_path / "no-such-file", context=None, environment={})


def test_cluster_that_is_built_takes_no_kubeconfig(kubeconfig: Path) -> None:
    assert access_to(ClusterSpec(), kubeconfig=None, context=None, environment={}) is None
    with pytest.raises(HarnessError, match="of the provider kind"):
        access_to(ClusterSpec(provider="kind"), kubeconfig=kubeconfig, context=None, environment={})
