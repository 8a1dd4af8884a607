from __future__ import annotations

import base64
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

from harness import command
from harness.errors import HarnessError
from harness.findings import Code, Finding
from harness.history import History, Operation, Outcome
from harness.result.model import Result, Status, Verdict
from harness.result.redaction import MARK, Redactor
from harness.result.store import Store, read_checks, replay
from harness.secret import Secret
from tests.harness.result.samples import check, facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "canary-7f3a/9"


def operation(evidence: str = "") -> Operation:
    return Operation(
        kind="pull",
        actor="node-1",
        reference="registry.test/app:1",
        started=10.0,
        ended=11.0,
        duration_seconds=1.0,
        outcome=Outcome.OK,
        digest="sha256:00",
        transferred_bytes=5,
        cause="",
        evidence=evidence,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    prepared = Store(tmp_path, Redactor([Secret(CANARY)]))
    prepared.prepare()
    return prepared


def test_replay_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    store.append(check("trust.b", Status.FAILED))
    store.append(check("trust.a"))

    result = store.finish(facts(notes=("first line",)))

    assert (tmp_path / "results.json").read_bytes() == result.to_json() == replay(tmp_path)
    assert result.verdict is Verdict.FAILED
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checks.jsonl",
        "histories",
        "results.json",
        "run.json",
    ]


def test_order_in_which_checks_ended_does_not_show(store: Store, tmp_path: Path) -> None:
    for name in ("trust.b", "trust.a"):
        store.append(check(name))
    forward = store.finish(facts()).to_json()
    lines = (tmp_path / "checks.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "checks.jsonl").write_text("".join(reversed(lines)))

    assert replay(tmp_path) == forward


def test_killed_run_leaves_its_checks_and_no_verdict(store: Store, tmp_path: Path) -> None:
    store.append(check())
    with (tmp_path / "checks.jsonl").open("ab") as file:
        file.write(b'{"id": "trust.torn')

    assert [record.id for record in read_checks(tmp_path)] == [check().id]
    with pytest.raises(HarnessError, match="killed before it ended"):
        replay(tmp_path)


def test_folder_without_records_has_no_checks(tmp_path: Path) -> None:
    assert read_checks(tmp_path) == ()


@pytest.mark.parametrize("name", ["checks.jsonl", "run.json"])
def test_spoilt_record_is_named(store: Store, tmp_path: Path, name: str) -> None:
    store.append(check())
    store.finish(facts())
    (tmp_path / name).write_text("{}\n")

    with pytest.raises(HarnessError, match=name):
        replay(tmp_path)


def test_threads_append_whole_lines(store: Store, tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=store.append, args=(check(f"trust.number-{number}"),))
        for number in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(read_checks(tmp_path)) == 16


def test_no_secret_is_written_anywhere(store: Store, tmp_path: Path) -> None:
    coded = base64.b64encode(f"user:{CANARY}".encode()).decode()
    leak = f"{CANARY} and {coded} and user%3Acanary-7f3a%2F9"
    logs = tmp_path.parent / f"{tmp_path.name}-logs"
    (logs / "node-1").mkdir(parents=True)
    (logs / "node-1" / "containerd.log").write_text(f"\u00e4 {leak}\n")
    (logs / "link.log").symlink_to("node-1/containerd.log")

    store.keep_files(logs, "logs")
    history = store.keep_history("trust.a", History([operation(leak)]))
    store.append(
        check("trust.a", Status.FAILED, findings=(Finding(Code.PULL_FAILED, "node-1", leak, leak),))
    )
    result = store.finish(facts(errors=(leak,), notes=(leak,)))
    assert store.write_report("summary.md", leak)

    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {
        tmp_path / "summary.md",
        tmp_path / history,
        tmp_path / "logs/node-1/containerd.log",
    } < set(written)
    assert not (tmp_path / "logs/link.log").exists()
    for path in written:
        content = path.read_text()
        assert MARK in content, path
        for form in (CANARY, json.dumps(CANARY), "canary-7f3a%2F9", coded[-8:]):
            assert form not in content, path
    assert MARK in result.errors[0]


def test_secret_that_is_also_a_status_spoils_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, Redactor([Secret("passed"), Secret("trust"), Secret("cold")]))
    store.prepare()
    store.append(check())

    assert store.finish(facts()).verdict is Verdict.PASSED


def test_kept_history_is_read_back(store: Store, tmp_path: Path) -> None:
    name = store.keep_history("trust.a", History([operation("line\u2028two")]))

    read = History.from_jsonl((tmp_path / name).read_text())

    assert name == "histories/trust.a.jsonl"
    assert read.operations == (operation("line\u2028two"),)


def test_folder_that_cannot_be_made_is_told_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HarnessError, match="results cannot be written") as caught:
        Store(tmp_path / "file" / "run", Redactor([])).prepare()

    assert "choose another folder" in caught.value.remedy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small filesystem needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    command.run(["mount", "-t", "tmpfs", "-o", "size=768k", "tmpfs", str(disk)], timeout_seconds=10)
    try:
        yield disk
    finally:
        command.run(["umount", str(disk)], timeout_seconds=10)


def fill(disk: Path) -> Path:
    """Take all space that is left."""
    filler = disk / "filler"
    space = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize)
    return filler


def test_full_disk_keeps_a_valid_verdict(small_disk: Path) -> None:
    store = Store(small_disk, Redactor([]))
    store.prepare()
    store.append(check("trust.a"))
    fill(small_disk)
    store.append(check("trust.b", Status.FAILED, title="A long title " * 2000))

    result = store.finish(facts())

    written = Result.model_validate_json((small_disk / "results.json").read_bytes())
    assert written == result
    assert [record.id for record in written.checks] == ["trust.a", "trust.b"]
    assert written.verdict is Verdict.FAILED
    assert "results did not fit" in written.errors[-1]
    assert not store.write_report("page.html", "a page " * 200_000)


def test_evidence_lost_to_a_full_disk_never_passes(small_disk: Path) -> None:
    store = Store(small_disk, Redactor([]))
    store.prepare()
    filler = fill(small_disk)
    logs = small_disk.parent / "logs"
    logs.mkdir()
    (logs / "node-1.log").write_text("line\n" * 10)

    assert store.keep_history("trust.a", History([operation("e" * 8192)])) == ""
    store.keep_files(logs, "logs")
    filler.unlink()
    store.append(check("trust.a"))
    result = store.finish(facts())

    assert result.verdict is Verdict.ERROR
    assert [error.split(" was")[0] for error in result.errors] == [
        "histories/trust.a.jsonl",
        "logs/node-1.log",
    ]
    assert replay(small_disk) == (small_disk / "results.json").read_bytes()


def test_check_that_did_not_fit_is_written_when_there_is_room_again(small_disk: Path) -> None:
    store = Store(small_disk, Redactor([]))
    store.prepare()
    filler = fill(small_disk)
    store.append(check("trust.a"))
    filler.unlink()

    result = store.finish(facts())

    assert result.verdict is Verdict.PASSED
    assert replay(small_disk) == result.to_json()


def test_verdict_is_kept_when_even_the_short_document_is_too_long(small_disk: Path) -> None:
    store = Store(small_disk, Redactor([]))
    store.prepare()
    fill(small_disk)
    for number in range(20):
        store.append(check(f"trust.number-{number}", Status.FAILED, title="long " * 4000))

    result = store.finish(facts())

    assert result.checks == ()
    assert result.counts.failed == 20
    assert Result.model_validate_json((small_disk / "results.json").read_bytes()) == result


def test_disk_too_small_for_a_verdict_is_told_before_the_run(small_disk: Path) -> None:
    fill(small_disk)

    with pytest.raises(HarnessError, match="results cannot be written"):
        Store(small_disk / "run", Redactor([])).prepare()
