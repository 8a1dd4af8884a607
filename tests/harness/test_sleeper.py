from __future__ import annotations

import os
import platform
import signal
import struct
from pathlib import Path

import pytest

from harness import oci, sleeper
from harness.wait import wait_until


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_program_is_a_small_static_executable(architecture: str, machine: int) -> None:
    made = sleeper.program(architecture)

    assert made.startswith(b"\x7fELF\x02\x01\x01")
    assert struct.unpack_from("<HH", made, 16) == (2, machine)
    assert struct.unpack_from("<Q", made, 24) == (0x400000 + 120,)
    assert struct.unpack_from("<Q", made, 64 + 32) == (len(made),)
    assert len(made) < 200


@pytest.mark.skipif(platform.system() != "Linux", reason="the program is for Linux")
def test_program_sleeps_through_other_signals_and_ends_well_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(sleeper.program(oci.machine_architecture()))
    file.chmod(0o755)
    process = os.posix_spawn(file, [str(file)], {})
    try:
        wait_until(
            lambda: "sigtimedwait" in _place(process), timeout_seconds=10, what="it to sleep"
        )
        os.kill(process, signal.SIGSTOP)
        os.kill(process, signal.SIGCONT)
        assert os.waitpid(process, os.WNOHANG) == (0, 0)
    finally:
        os.kill(process, signal.SIGTERM)
    assert os.waitpid(process, 0) == (process, 0)


def _place(process: int) -> str:
    return Path(f"/proc/{process}/wchan").read_text()
