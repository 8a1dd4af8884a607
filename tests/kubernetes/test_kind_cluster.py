"""The provider kind: nodes beside the registries, reached by Kubernetes and by the CRI."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from harness import oci
from harness.cluster.protocols import KubernetesAccess, RuntimeAccess
from harness.diagnosis import FailureCode
from harness.engine.client import KIND_LABEL
from harness.errors import EngineError
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.lab import ability, attached_lab, images_of, started_lab
from harness.lifecycle.reap import PRIVATE
from harness.lifecycle.run import living_runs, new_run_id, started_run
from harness.machine import CHECKOUT
from harness.scenario.load import load
from harness.secret import new_password
from harness.tools import Tool, provide_tool
from harness.wait import wait_until
from harness.workload import publish, pull_on, unique_repository
from tests.acceptance_runs import pytest_command
from tests.kubernetes.conftest import SCENARIO

if TYPE_CHECKING:
    from pathlib import Path

    from harness.engine import Engine
    from harness.home import Home
    from harness.lab import Lab

NODES = ["control-plane", "worker", "worker2"]


def test_every_node_pulls_through_its_runtime(lab: Lab) -> None:
    image = publish(lab.primary, oci.image(), repository=unique_repository("kind"))

    pulls = pull_on(lab.nodes, image.reference, lab.primary.credentials)
    refused = pull_on(lab.nodes, image.reference, None)

    assert [pull.node for pull in pulls] == NODES
    assert [pull.failure for pull in pulls] == [None] * len(NODES)
    assert {pull.failure.code for pull in refused if pull.failure} == {FailureCode.AUTHENTICATION}


@pytest.mark.parametrize("number", range(len(NODES)), ids=NODES)
def test_runtime_of_a_node_can_be_looked_into(lab: Lab, number: int) -> None:
    node = ability(lab.nodes[number], RuntimeAccess)

    assert re.fullmatch(r"\d+\.\d+\.\d+", node.runtime_version())
    assert node.runtime_conditions() == {}
    assert "containerd successfully booted" in node.runtime_log()
    assert "discard_unpacked_layers = false" in node.runtime_config()
    assert any(path.endswith("hosts.toml") for path in node.list_files("/etc/containerd/certs.d"))


def test_etcd_does_not_wait_for_the_disk(lab: Lab) -> None:
    manifest = ability(lab.nodes[0], RuntimeAccess).read_file("/etc/kubernetes/manifests/etcd.yaml")

    assert b"--unsafe-no-fsync=true" in (manifest or b"")


def test_kubernetes_knows_the_nodes_and_the_namespaces_of_the_run(lab: Lab) -> None:
    cluster = ability(lab.cluster, KubernetesAccess)
    known = {each["metadata"]["name"] for each in cluster.api.list("/api/v1/nodes")}
    namespaces = {each["metadata"]["name"] for each in cluster.api.list("/api/v1/namespaces")}

    assert {cluster.node_name(node) for node in lab.nodes} == known
    assert {cluster.namespace, cluster.second_namespace} <= namespaces


def test_another_process_can_use_the_cluster(lab: Lab, engine: Engine) -> None:
    with attached_lab(lab.handle, lab.scenario, engine) as attached:
        cluster = ability(attached.cluster, KubernetesAccess)

        assert [node.name for node in attached.nodes] == NODES
        assert [each.api().ping().status for each in attached.registries[-1:]] == [HTTPStatus.OK]
        assert cluster.api.get("/version")["major"] == "1"
        assert ability(attached.nodes[0], RuntimeAccess).runtime_conditions() == {}


def test_run_killed_while_kind_creates_its_cluster_leaves_no_node(
    home: Home, engine: Engine, tmp_path: Path
) -> None:
    command = pytest_command(tmp_path, "suites/integrity", "--scenario", SCENARIO)
    process = subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        (run,) = wait_until(
            lambda: [each for each in living_runs(home) if (tmp_path / each.id).exists()],
            timeout_seconds=120,
            what="the run to begin",
        )
        wait_until(
            lambda: engine.labelled(KIND_LABEL, run.id),
            timeout_seconds=300,
            what="kind to start a node",
        )
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    wait_until(
        lambda: not run.folder.exists(), timeout_seconds=300, what="the watchdog to have cleaned"
    )
    assert engine.labelled(KIND_LABEL, run.id) == ()
    assert engine.labelled("pullproof.run", run.id) == ()


def test_cluster_that_does_not_come_up_leaves_its_logs_and_nothing_else(
    home: Home, engine: Engine
) -> None:
    """Its nodes are of another kind of image: they never tell kind that they have started."""
    scenario = load(SCENARIO).scenario
    wanted = images_of(scenario)
    (stranger,) = provide_all((Image.NODE_1_7,), engine=engine, home=home, announce=print).values()
    images = provide_all(wanted, engine=engine, home=home, announce=print)
    kind = provide_tool(Tool.KIND, home=home, announce=print, environment=os.environ).path
    with started_run(home, new_run_id(), time_limit_seconds=600) as run:
        run.journal.intend("engine", PRIVATE if engine.kind == "private" else engine.url)
        with (
            pytest.raises(EngineError, match="kind did not create the cluster"),
            started_lab(
                scenario,
                engine=engine,
                images={**images, wanted[0]: stranger},
                run=run,
                secret=new_password(),
                kind=kind,
            ),
        ):
            pass

        assert list((run.folder / "logs").rglob("serial.log"))
        assert engine.labelled(KIND_LABEL, run.id) == ()
        assert engine.labelled("pullproof.run", run.id) == ()
