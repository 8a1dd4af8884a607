"""Every gate of the project is a session here; all of them share one environment."""

from __future__ import annotations

import fcntl
import hashlib
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.sessions = ["lint", "typecheck", "tests"]
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent
ENVIRONMENT = ROOT / ".nox" / "project"
PYTHON = ENVIRONMENT / "bin" / "python"
PURE = (
    *("checks/*", "diagnosis.py", "errors.py", "findings.py", "history.py", "hosts_toml/*"),
    *(
        "keyring.py",
        "measure.py",
        "oci.py",
        "snapshot.py",
        "report/*",
        "result/model.py",
        "result/verdict.py",
    ),
    *("cluster/kubelet_model.py", "cluster/rollout_model.py", "cluster/rollout_state.py"),
    *("fleet/coverage.py", "fleet/figures.py", "fleet/manifest.py", "fleet/model.py"),
    *("fleet/reading.py", "result/redaction.py", "result/waivers.py", "scenario/*"),
    *("large_layer.py", "pool.py", "retention.py", "secret.py", "wait.py"),
    *("plan/footprint.py", "plan/making.py", "plan/model.py", "plan/text.py"),
    *("cluster/pod_events.py", "registry/access_log.py", "registry/haproxy.py"),
    *("monitoring/configuration.py", "registry/distribution_garbage.py"),
    *("registry/inventory_model.py", "secret_keys.py", "sleeper.py"),
)
FAST_TESTS = ("tests/harness", "tests/fixtures", "tests/bench")
NIGHTLY = (
    *("production-like", "distribution-3", "replicas", "nightly"),
    *("ha", "dr", "mirror", "upgrade-distribution", "in-cluster"),
)
SOURCES = ("conftest.py", "noxfile.py", "harness", "fixtures", "suites", "tests")


def install_project(session: nox.Session) -> None:
    """Install what pyproject.toml asks for, unless that was done for this very text."""
    pyproject = ROOT / "pyproject.toml"
    wanted = hashlib.sha256(pyproject.read_bytes()).hexdigest()
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    with (ENVIRONMENT.parent / "project.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two sessions at once must not install into one folder
        stamp = ENVIRONMENT / "pyproject.sha256"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        project = nox.project.load_toml(pyproject)
        requirements = [
            *project["project"]["dependencies"],
            *nox.project.dependency_groups(project, "dev"),
        ]
        session.log("installing the project's dependencies, which takes about a minute")
        session.run(sys.executable, "-m", "virtualenv", "-q", str(ENVIRONMENT), external=True)
        session.run(str(PYTHON), "-m", "pip", "install", "-q", *requirements, external=True)
        stamp.write_text(wanted)


def run(session: nox.Session, *arguments: str) -> None:
    """Run the project's Python on `arguments`.

    nox would turn every failure into exit code 1; ours tell failed from broken, so nox ends
    with them. An interrupted run gets the time to take its lab down.
    """
    install_project(session)
    try:
        session.run(
            str(PYTHON), *arguments, external=True, interrupt_timeout=60, terminate_timeout=30
        )
    except CommandFailed as failure:
        raise SystemExit(failure.return_code) from failure


@nox.session
def acceptance(session: nox.Session) -> None:
    """Judge a lab or a live system; -- --scenario FILE chooses, -n 4 runs in parallel."""
    chosen = any(argument.startswith("--scenario") for argument in session.posargs)
    scenario = () if chosen else ("--scenario", "scenarios/production-like.yaml")
    # -rN: the verdict at the end tells all that pytest's own summary would
    run(session, "-m", "pytest", "suites", "--no-header", "-rN", *scenario, *session.posargs)


@nox.session
def nightly(session: nox.Session) -> None:
    """The default scenario and all that take too long for every change, each to its end."""
    failed: list[int] = []
    for scenario in NIGHTLY:
        arguments = ("suites", "--no-header", "-rN", "--scenario", f"scenarios/{scenario}.yaml")
        try:
            run(session, "-m", "pytest", *arguments, *session.posargs)
        except SystemExit as failure:
            failed.append(int(failure.code or 0))
    if failed:
        raise SystemExit(failed[0])


@nox.session
def plan(session: nox.Session) -> None:
    """Tell what a run will do, without writing anything: -- --scenario FILE [--kubeconfig FILE]."""
    run(session, "-m", "harness.plan", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Fast tests of the harness with full branch coverage of its pure modules; no Docker."""
    coverage = ("--cov=harness", "--cov-report=") if not session.posargs else ()
    run(session, "-m", "pytest", *FAST_TESTS, *coverage, *session.posargs)
    if coverage:
        pure = ",".join(f"harness/{part}" for part in PURE)
        run(session, "-m", "coverage", "report", "--fail-under=100", f"--include={pure}")


@nox.session
def integration(session: nox.Session) -> None:
    """Tests of the harness on real parts: engine, images, nodes, registries, whole runs."""
    run(session, "-m", "pytest", "tests/integration", *session.posargs)


@nox.session
def kubernetes(session: nox.Session) -> None:
    """Clusters of real kind on our own node image, which is compiled for many minutes once."""
    run(session, "-m", "pytest", "tests/kubernetes", *session.posargs)


@nox.session
def sabotage(session: nox.Session) -> None:
    """Proof that each check can fail: break real systems and see the right check turn red."""
    # Each test waits for a run of its own, most of the time for containers: two take turns.
    run(session, "-m", "pytest", "tests/sabotage", "-n", "2", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure our own overhead as ratios within one run; -- --pairs 30, or -- --fleet 3."""
    run(session, "-m", "tests.bench", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, complexity, security and formatting rules."""
    run(session, "-m", "ruff", "check", *SOURCES)
    run(session, "-m", "ruff", "format", "--check", *SOURCES)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Strict types, tests included."""
    run(session, "-m", "mypy", *SOURCES)


@nox.session
def bundle(session: nox.Session) -> None:
    """Save images to a folder for machines that can obtain none: -- FOLDER [IMAGE ...]."""
    run(session, "-m", "harness.images", *session.posargs)


@nox.session
def protos(session: nox.Session) -> None:
    """Compile the messages of the container runtime interface anew."""
    run(session, "-m", "harness.cri.compile")


@nox.session
def clean(session: nox.Session) -> None:
    """Remove everything that the project ever put on this machine outside its checkout."""
    run(session, "-m", "harness.lifecycle.clean", *session.posargs)
