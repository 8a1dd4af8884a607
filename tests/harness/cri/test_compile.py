"""The committed messages are those of runtime.proto, whichever compiler's release is installed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness.cri import runtime_pb2
from harness.cri.compile import compile_messages


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with freshly compiled messages."""
    folder = tmp_path_factory.mktemp("compiled")
    compile_messages(folder)
    return folder / "harness/cri"


def test_committed_messages_are_current(fresh: Path) -> None:
    tree = ast.parse((fresh / "runtime_pb2.py").read_text())
    literals = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}

    assert runtime_pb2.DESCRIPTOR.serialized_pb in literals


def test_committed_types_are_current(fresh: Path) -> None:
    committed = Path(runtime_pb2.__file__).with_suffix(".pyi")

    assert fields(committed) == fields(fresh / "runtime_pb2.pyi")


def fields(stub: Path) -> dict[str, list[str]]:
    """Read the attributes of every class, as source."""
    return {
        node.name: [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
        for node in ast.walk(ast.parse(stub.read_text()))
        if isinstance(node, ast.ClassDef)
    }
