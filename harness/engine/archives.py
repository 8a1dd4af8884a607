"""Archives that an engine makes of folders in which somebody writes."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from harness.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path


class TornArchiveError(EngineError):
    """An archive ends amid a file, because that changed in the moment in which it was read."""


def is_whole(file: Path) -> bool:
    """Tell whether a tar file holds all that its last header promises.

    Docker writes a file's header before it opens the file. Where that is gone by then, or has
    become shorter, Docker leaves out everything after the header and says so only in its own log
    (`addTarFile` of moby).
    """
    try:
        with tarfile.open(file) as archive:
            for _ in archive:
                pass
    except tarfile.ReadError:
        return False
    return True
