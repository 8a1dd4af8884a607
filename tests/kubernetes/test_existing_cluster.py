"""A cluster that exists is judged with the rights of the published role, and left as it was."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness.cluster.access import Access
from harness.images.model import Image
from harness.images.provide import provide
from harness.kubernetes_api import KubernetesError
from harness.plan.__main__ import main as plan
from harness.result.model import ExitCode, Verdict
from harness.wait import wait_until
from tests.acceptance_runs import run_acceptance
from tests.integration.whole_runs import whole_run
from tests.kubernetes.existing_site import NODES, ROLE, existing_site
from tests.kubernetes.kind_cluster import kind_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.engine import Engine
    from harness.home import Home
    from tests.kubernetes.existing_site import Site

# Longer than a run waits for its namespaces to be gone.
REAPED_SECONDS = 180


@pytest.fixture(scope="module")
def site(engine: Engine, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    image = provide(Image.KIND_NODE_1_36, engine=engine, home=home, announce=print)
    folder = tmp_path_factory.mktemp("site")
    with (
        _network(engine) as network,
        kind_cluster(engine, image.reference, folder, network) as cluster,
        existing_site(cluster, engine, home, folder) as made,
    ):
        yield made


@contextmanager
def _network(engine: Engine) -> Iterator[str]:
    network = engine.create_network(f"existing-{uuid4().hex[:8]}", {})
    try:
        yield network.name
    finally:
        network.remove()


@pytest.fixture(scope="module")
def prober(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of somebody who has the published role and nothing else."""
    return site.kubeconfig_of("prober", "pullproof-probe", tmp_path_factory.mktemp("prober"))


@pytest.fixture
def untouched(site: Site, prober: Path) -> Iterator[None]:
    """Compare all objects of the cluster before and after a test."""
    assert prober.exists()
    before = site.objects()
    yield
    # A volume goes with its claim, some time after it.
    wait_until(
        lambda: sorted(site.objects() ^ before),
        ready=lambda changed: not changed,
        timeout_seconds=REAPED_SECONDS,
        interval_seconds=1,
        what="the cluster to be as it was before",
    )


def pushed(site: Site) -> set[str]:
    """Return the paths of all manifests that the registry has taken so far."""
    requests = site.registry.requests_since(0)
    return {each.path for each in requests if each.method == "PUT" and "/manifests/" in each.path}


@pytest.mark.usefixtures("untouched")
def test_suites_pass_with_the_rights_of_the_published_role(
    site: Site, prober: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--scenario", site.scenario, "--kubeconfig", prober)
    before = pushed(site)

    run = run_acceptance(tmp_path, "suites", *arguments, "--cluster", "existing", "-n", "2")

    result = run.conclusion()
    assert run.unproven() == {}, run.output
    assert (run.status, result.verdict) == (ExitCode.PASSED, Verdict.PASSED)
    assert result.environment.engine is None
    judged = [node.name for node in result.environment.nodes]
    assert judged == [f"{site.cluster.name}-{node}" for node in NODES]
    assert plan(["--json", *map(str, arguments)]) == ExitCode.PASSED
    planned = json.loads(capsys.readouterr().out)["footprints"]
    images = sum(footprint["images"] for footprint in planned)
    assert images / 3 < len(pushed(site) - before) <= images


def test_published_role_reads_no_secret(prober: Path) -> None:
    with Access(prober, None).api() as api:
        granted = [verb for verb in ("create", "get", "list", "watch") if api.may(verb, "secrets")]
        with pytest.raises(KubernetesError) as refused:
            api.get("/api/v1/namespaces/platform/secrets/hush")

    assert granted == ["create"]
    assert refused.value.status == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("untouched")
def test_run_that_is_killed_leaves_no_namespace(
    site: Site, prober: Path, home: Home, tmp_path: Path
) -> None:
    arguments = ("--scenario", site.scenario, "--kubeconfig", prober, "-k", "kubelet")
    with whole_run(tmp_path, *arguments, home=home) as run:
        run.wait_for_checks()
        run_id = run.run.id
        assert len(site.namespaces_of(run_id)) == 2

        assert run.send(signal.SIGKILL) == -signal.SIGKILL

    wait_until(
        lambda: site.namespaces_of(run_id),
        ready=lambda left: not left,
        timeout_seconds=REAPED_SECONDS,
        interval_seconds=0.5,
        what="the watchdog to remove the namespaces",
    )
    wait_until(
        lambda: not run.run.folder.exists(),
        timeout_seconds=REAPED_SECONDS,
        what="the watchdog to have cleaned",
    )


def test_missing_right_is_named_before_anything_is_written(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    role = ROLE.read_text().replace("pullproof-probe", "too-little")
    role = role.replace("verbs: [create, update, delete]", "verbs: [update, delete]")
    site.cluster.kubectl("apply", "--filename", "-", stdin=role.encode())
    kubeconfig = site.kubeconfig_of("poor", "too-little", tmp_path)
    arguments = ("--scenario", site.scenario, "--kubeconfig", kubeconfig)
    before = site.objects()

    run = run_acceptance(tmp_path / "results", "suites", *arguments)

    assert run.status == ExitCode.ERROR
    assert "may not: create secrets in the run's own namespaces" in run.output
    assert "docs/probe-role.yaml" in run.output
    assert run.conclusion().checks == ()
    assert site.objects() == before
    assert plan([*map(str, arguments)]) == ExitCode.ERROR
    assert "create [MISSING], update [granted]" in capsys.readouterr().out
