"""Compile runtime.proto into the two committed files: python -m harness.cri.compile."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.command import run

_ROOT = Path(__file__).parents[2]
_PROTO = Path(__file__).with_name("runtime.proto").relative_to(_ROOT)


def compile_messages(into: Path = _ROOT) -> None:
    """Write runtime_pb2.py and runtime_pb2.pyi below `into`, in the folders of the project.

    Raises CommandError where grpcio-tools or mypy-protobuf is not installed.
    """
    run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--plugin=protoc-gen-mypy={Path(sys.executable).with_name('protoc-gen-mypy')}",
            f"--proto_path={_ROOT}",
            f"--python_out={into}",
            f"--mypy_out={into}",
            str(_PROTO),
        ],
        timeout_seconds=60,
    )


if __name__ == "__main__":
    compile_messages()
