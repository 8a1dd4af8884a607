from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import PackageError
from harness.home import Home
from harness.tools import Tool, ToolOrigin, provide_tool

if TYPE_CHECKING:
    from pathlib import Path


def unpackable(*_arguments: object, **_settings: object) -> None:
    raise PackageError("the mirror is gone")


def test_tool_on_path_is_taken(tmp_path: Path) -> None:
    program = tmp_path / "kind"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    found = provide_tool(
        Tool.KIND,
        home=Home(tmp_path / "home"),
        announce=print,
        environment={"PATH": str(tmp_path)},
    )

    assert (found.path, found.origin) == (program, ToolOrigin.PATH)
    assert not (tmp_path / "home").exists()


def test_error_names_all_that_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.tools.download", unpackable)

    with pytest.raises(PackageError) as caught:
        provide_tool(Tool.KUBECTL, home=Home(tmp_path), announce=print, environment={})

    said = str(caught.value)
    assert "PATH has none" in said
    assert "the mirror is gone" in said
    assert "no module gives kubectl" in said
    assert "install kubectl" in said
