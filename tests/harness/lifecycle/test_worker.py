from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.machine import CHECKOUT
from harness.wait import wait_until

PARENT = """
import os, subprocess, sys
worker = subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())])
sys.stdin.read()
"""
WORKER = """
import os, signal, sys
from harness.lifecycle.worker import end_with_parent
end_with_parent(int(sys.argv[1]))
print(os.getpid(), flush=True)
signal.pause()
"""


def test_worker_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, WORKER],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        assert Path(f"/proc/{worker}").exists()

        parent.kill()
        parent.wait()

        wait_until(lambda: is_gone(worker), timeout_seconds=30, what="the worker to end")


def test_worker_whose_parent_has_ended_before_ends_at_once() -> None:
    worker = [sys.executable, "-c", WORKER, str(os.getppid())]
    assert subprocess.run(worker, cwd=CHECKOUT, timeout=30, check=False).returncode == -9


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
