from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from harness import command
from harness.errors import CommandError
from harness.wait import wait_until


def test_output_of_both_streams_is_returned() -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr)"
    done = command.run([sys.executable, "-c", script], timeout_seconds=30)
    assert (done.status, done.text, done.stderr) == (0, "out\n", "err\n")


def test_input_reaches_the_command() -> None:
    script = "import sys; print(sys.stdin.read().upper())"
    done = command.run([sys.executable, "-c", script], timeout_seconds=30, stdin=b"abc")
    assert done.text == "ABC\n"


def test_failure_shows_arguments_status_and_both_streams() -> None:
    script = "import sys; print('seen'); sys.exit('why')"
    with pytest.raises(CommandError, match=r"exit status 1\n.*stdout: seen\n.*stderr: why"):
        command.run([sys.executable, "-c", script], timeout_seconds=30)


def test_failure_is_a_result_where_it_is_expected() -> None:
    done = command.run(
        [sys.executable, "-c", "raise SystemExit(3)"], timeout_seconds=30, check=False
    )
    assert done.status == 3


def test_missing_command_is_named() -> None:
    with pytest.raises(CommandError, match="no-such-command: command not found"):
        command.run(["no-such-command"], timeout_seconds=1)


def test_time_limit_ends_the_command() -> None:
    with pytest.raises(CommandError, match=r"still running after 0\.1 s"):
        command.run([sys.executable, "-c", "import signal; signal.pause()"], timeout_seconds=0.1)


def test_detached_process_has_its_own_session_and_writes_to_its_log(tmp_path: Path) -> None:
    script = "import os; print(os.getsid(0) == os.getpid(), os.getcwd())"
    log = tmp_path / "log"
    command.detach([sys.executable, "-c", script], log=log, directory=tmp_path)
    written = wait_until(log.read_text, timeout_seconds=30, what="the process to write")
    assert written == f"True {tmp_path}\n"


def test_companion_is_heard_and_ends_with_the_block(tmp_path: Path) -> None:
    script = (
        "import os, sys; print(os.getsid(0) == os.getpid(), os.getcwd(), flush=True)\n"
        "for line in sys.stdin: print(line.upper(), end='', flush=True)\n"
    )
    argv = [sys.executable, "-c", script]
    with command.companion(argv, directory=tmp_path, grace_seconds=30) as companion:
        assert companion.answer(timeout_seconds=30) == f"True {tmp_path}"
        companion.tell(b"one\ntwo\n")
        assert [companion.answer(timeout_seconds=30) for _ in "12"] == ["ONE", "TWO"]


def test_companion_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import signal; signal.pause()"]
    begin = time.monotonic()
    with (
        pytest.raises(CommandError, match=r"no answer within 0\.1 s"),
        command.companion(argv, directory=tmp_path, grace_seconds=0.1) as companion,
    ):
        companion.answer(timeout_seconds=0.1)
    assert time.monotonic() - begin < 10


def test_companion_that_has_ended_is_missed(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "pass"]
    with command.companion(argv, directory=tmp_path, grace_seconds=30) as companion:
        with pytest.raises(CommandError, match="ended without an answer"):
            companion.answer(timeout_seconds=30)
        companion.tell(b"nobody hears this")
