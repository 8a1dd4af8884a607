"""What a run concludes: the same from the same records, and never passed without evidence."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from harness.home import Home
from harness.machine import CHECKOUT
from harness.result.model import Status, Verdict
from harness.result.store import replay
from tests.integration.whole_runs import SMALL, WholeRun, ended_run

if TYPE_CHECKING:
    from pathlib import Path

SMOKE = CHECKOUT / "scenarios/smoke.yaml"
SMALL_RUN = ("--scenario", SMALL)
LEFT_OUT = "the command line leaves it out"


def told(run: WholeRun) -> dict[str, str]:
    """Return the status of every test case in our JUnit file, by the check's id."""
    statuses = {}
    for case in ET.parse(run.folder / "junit.xml").iter("testcase"):  # noqa: S314 - our own file
        properties = {one.get("name"): one.get("value") for one in case.iter("property")}
        statuses[str(properties.get("id"))] = str(properties.get("status"))
    return statuses


def test_passed_run_is_replayed_to_the_same_bytes(tmp_path: Path) -> None:
    run = ended_run(tmp_path, *SMALL_RUN)

    assert run.process.returncode == 0, run.output
    assert run.result().verdict is Verdict.PASSED
    assert replay(run.folder) == (run.folder / "results.json").read_bytes()
    assert told(run) == {check.id: "passed" for check in run.result().checks}
    assert (run.folder / "logs/nodes/node-1.log").stat().st_size
    assert not (run.folder / ".reserve").exists()


def test_part_of_what_the_scenario_asks_for_is_not_the_whole(tmp_path: Path) -> None:
    run = ended_run(tmp_path, *SMALL_RUN, "-k", "digest or restart")

    assert run.process.returncode == 7, run.output
    assert run.result().verdict is Verdict.NOT_VERIFIED
    statuses = {check.id: check.status for check in run.result().checks}
    passed = {"integrity.digest-names-one-image", "integrity.content-survives-a-restart"}
    assert {name for name, status in statuses.items() if status is Status.PASSED} == passed
    left_out = [check for check in run.result().checks if check.id not in passed]
    assert left_out
    assert {(check.status, check.reason) for check in left_out} == {(Status.NOT_VERIFIED, LEFT_OUT)}
    assert all(check.id.partition(".")[2] in run.output for check in left_out)
    assert told(run) == {name: str(status) for name, status in statuses.items()}
    assert replay(run.folder) == (run.folder / "results.json").read_bytes()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "parallel"])
def test_run_that_chooses_nothing_is_empty(tmp_path: Path, workers: tuple[str, ...]) -> None:
    run = ended_run(tmp_path, *SMALL_RUN, "-k", "no_such_check", *workers)

    assert run.process.returncode == 5, run.output
    assert run.result().verdict is Verdict.EMPTY
    assert {check.reason for check in run.result().checks} == {LEFT_OUT}


def test_check_whose_worker_dies_is_an_error(tmp_path: Path) -> None:
    plugin = ("-p", "tests.integration.dying_worker", "--dies-in", "digest_names_one_image")
    run = ended_run(tmp_path, *SMALL_RUN, "-n", "2", *plugin)

    assert run.process.returncode == 3, run.output
    assert run.result().verdict is Verdict.ERROR
    broken = {
        check.id: (check.status, check.reason)
        for check in run.result().checks
        if check.status is not Status.PASSED
    }
    assert broken == {"integrity.digest-names-one-image": (Status.ERROR, "its worker died")}
    assert len(run.result().checks) == 7


def test_parallel_run_concludes_what_a_serial_one_does(tmp_path: Path) -> None:
    scenario = tmp_path / "lenient.yaml"
    # Every machine meets such targets; whether one meets others is not the question here.
    scenario.write_text(re.sub(r"max: \d+", "max: 1000000000", SMOKE.read_text()))
    serial = ended_run(tmp_path / "serial", "--scenario", scenario)
    parallel = ended_run(tmp_path / "parallel", "--scenario", scenario, "-n", "4")

    assert serial.process.returncode == parallel.process.returncode, parallel.output
    assert serial.result().verdict is parallel.result().verdict
    assert [(check.id, check.status) for check in serial.result().checks] == [
        (check.id, check.status) for check in parallel.result().checks
    ]


def test_engine_that_cannot_be_had_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    run = ended_run(tmp_path / "run", *SMALL_RUN, environment=nowhere)

    assert run.process.returncode == 3, run.output
    assert run.result().verdict is Verdict.ERROR
    (error,) = run.result().errors
    assert nowhere["DOCKER_HOST"] in error
    assert "remedy: start that engine, or unset DOCKER_HOST" in error
    assert "remedy: start that engine" in run.output
    assert json.loads((run.folder / "results.json").read_bytes())["exit_code"] == 3
    assert run.result().phases.lab is None
    assert not run.run.folder.exists() or run.run.journal.names("network") == ()


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("version: 1\nname: x\nregistries:\n  - {name: a}\nnodes: 3\n", 5, "The keys of"),
        ("version: 1\nname: x\nregistries:\n  - {name: a, tls: {isuer: b}}\n", 4, "issuer"),
        ("version: 1\nname: x\nregistries: [\n", 4, ""),
        ("", 1, ""),
    ],
)
def test_configuration_errors_precede_any_write(
    tmp_path: Path, text: str, line: int, remedy: str
) -> None:
    scenario = tmp_path / "wrong.yaml"
    scenario.write_text(text)
    home = Home(tmp_path / "home")

    run = ended_run(tmp_path / "run", "--scenario", scenario, home=home)

    assert run.process.returncode == 4, run.output
    assert f"{scenario}:{line}: " in run.output
    assert remedy in run.output
    assert "remedy: " in run.output
    assert not home.root.exists()
    assert not run.results.exists()
    assert "engine" not in run.output


KUBELET = """
targets: [{measure: rollout_seconds, max: 30}]
waivers: [{ability: KubernetesAccess, reason: nodes of containerd alone have no kubelet}]
"""


def test_checks_and_targets_that_lack_a_waived_ability_do_not_block(tmp_path: Path) -> None:
    scenario = tmp_path / "waiving.yaml"
    text = SMALL.read_text().replace("[integrity]", "[integrity, kubelet]")
    scenario.write_text(text + KUBELET)

    run = ended_run(tmp_path / "run", "--scenario", scenario)

    assert run.process.returncode == 0, run.output
    lacking = {check.id for check in run.result().checks if check.lacking == "KubernetesAccess"}
    assert lacking == {check.id for check in run.result().checks if check.waived}
    assert lacking
    (target,) = run.result().not_measured
    assert (target.measure, bool(target.waived)) == ("rollout_seconds", True)
