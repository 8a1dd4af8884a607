from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.machine import CHECKOUT
from harness.plan.__main__ import main
from harness.result.model import ExitCode

SMOKE = str(CHECKOUT / "scenarios/smoke.yaml")
EXISTING = str(CHECKOUT / "scenarios/existing.yaml")


@pytest.fixture(autouse=True)
def _no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_lab_is_planned_without_any_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scenario", SMOKE]) == ExitCode.PASSED
    assert "plan of smoke; nothing has been written" in capsys.readouterr().out


def test_existing_cluster_is_planned_without_asking_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scenario", EXISTING, "--json"]) == ExitCode.PASSED

    document = json.loads(capsys.readouterr().out)
    assert document["cluster"]["nodes"] == []


def test_wrong_scenario_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scenario", SMOKE, "--cluster", "existing"]) == ExitCode.USAGE
    assert "would be built in a lab" in capsys.readouterr().err


def test_cluster_that_does_not_answer_is_no_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "here",
            }
        )
    )

    status = main(["--scenario", EXISTING, "--kubeconfig", str(kubeconfig)])

    assert status == ExitCode.ERROR
    assert "does not answer" in capsys.readouterr().err
