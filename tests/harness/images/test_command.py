from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.images.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def test_unknown_image_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "bundle"), "node-9.9"], {})

    assert "no image is called node-9.9; there are registry-2.8" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
