"""No secret of a run is in anything that it writes, prints or shows to other processes."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.engine import open_engine
from harness.home import Home
from harness.lifecycle.run import RUN_LABEL
from harness.result.model import Status
from harness.wait import wait_until
from tests.acceptance_runs import RUN_SECONDS
from tests.integration.whole_runs import SMALL, WholeRun, whole_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine

PLUGIN = ("-p", "tests.integration.canary", "--canary")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as engine:
        yield engine


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """small.yaml with two nodes, of which one can be broken, and with its accounts tested."""
    file = tmp_path / "accounts.yaml"
    text = SMALL.read_text().replace("nodes: 1", "nodes: 2")
    file.write_text(text.replace("[integrity]", "[integrity, pull_secrets]"))
    return file


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "parallel"])
def test_secrets_are_in_no_output_of_a_run_with_failures(
    engine: Engine, scenario: Path, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    canary = tmp_path / "canary"
    xml = tmp_path / "pytest.xml"
    arguments: tuple[str | Path, ...] = ("--scenario", scenario, *PLUGIN, canary, *workers)
    arguments += ("--junitxml", xml, "-rA", "--log-level=DEBUG")
    with whole_run(tmp_path / "run", *arguments) as run:
        shown, containers = watch(run, engine)
    secret = canary.read_text()

    outputs = {str(file): file.read_bytes() for file in (tmp_path / "run").rglob("*.*")}
    outputs |= {str(run.log): run.log.read_bytes(), "pytest.xml": xml.read_bytes()}
    statuses = {check.status for check in run.result().checks}
    assert statuses >= {Status.FAILED, Status.ERROR}, run.output
    assert {Path(name).name for name in outputs} >= {
        *("results.json", "junit.xml", "summary.md", "report.html", "checks.jsonl", "run.json"),
        *("log", "pytest.xml", "node-1.log", "primary.log"),
    }
    assert containers
    assert found_in(outputs, secret) == []
    assert found_in(shown, secret) == []
    assert found_in(outputs, "BEGIN PRIVATE KEY") == []
    assert b"&lt;redacted&gt;" in outputs["pytest.xml"]


def test_leak_past_everything_is_found(engine: Engine, scenario: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    arguments = ("--scenario", scenario, *PLUGIN, canary, "--leak", "-k", "digest")
    with whole_run(tmp_path / "run", *arguments) as run:
        watch(run, engine)

    assert found_in({"log": run.log.read_bytes()}, canary.read_text()) == ["log"]


@pytest.mark.parametrize("beginning", ["", "u", "u:", "user:"])
def test_search_finds_every_encoding(beginning: str) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    raw = f"{beginning}{secret}more".encode()
    encoded = base64.b64encode(raw)
    percent = "".join(f"%{byte:02X}" for byte in raw).encode()
    escaped = "".join(f"\\u{byte:04x}" for byte in raw).encode()
    texts = (raw, encoded, base64.b64encode(encoded), percent, escaped, raw.hex().encode())

    assert all(found_in({"": b"before" + text + b"after"}, secret) for text in texts)
    assert not found_in({"": b"before" + raw[:-10] + b"after"}, secret)


def watch(run: WholeRun, engine: Engine) -> tuple[dict[str, bytes], set[str]]:
    """Follow a run to its end.

    Return what other processes could see of it, namely arguments and environment of all
    processes and all that the engine tells of its containers, and the containers' names.
    """
    shown: dict[str, bytes] = {}
    containers: set[str] = set()

    def ended() -> bool:
        for folder in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    content = (folder / name).read_bytes()
                except OSError:
                    continue
                shown[f"{folder}/{name} {hash(content)}"] = content
        for folder in run.results.glob("*"):  # there is none at first
            label = f"{RUN_LABEL}={folder.name}"
            for container in engine.client.containers.list(
                filters={"label": label}, ignore_removed=True
            ):
                containers.add(str(container.name))
                shown[str(container.name)] = json.dumps(container.attrs).encode()
        return run.process.poll() is not None

    wait_until(ended, timeout_seconds=RUN_SECONDS, interval_seconds=0.05, what="the run to end")
    return shown, containers


def found_in(contents: dict[str, bytes], secret: str) -> list[str]:
    """Return the names of contents that hold a secret in some encoding."""
    raw = secret.encode()
    once = {raw, *_base64_cores(raw)}
    forms = {
        *once,
        *(core for form in _base64_cores(raw) for core in _base64_cores(form)),
        "".join(f"%{byte:02X}" for byte in raw).encode(),
        "".join(f"\\u{byte:04x}" for byte in raw).encode(),
        raw.hex().encode(),
    }
    return [
        name
        for name, content in contents.items()
        if any(form in content or form in content.replace(b"\n", b"") for form in forms)
    ]


def _base64_cores(raw: bytes) -> set[bytes]:
    """Return what base64 texts that hold `raw` have in common, for each of three alignments."""
    cores = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        first = -(-offset * 8 // 6)
        last = (offset + len(raw)) * 8 // 6
        cores.add(encoded[first:last])
    return cores
