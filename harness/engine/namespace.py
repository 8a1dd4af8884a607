"""Network namespaces of containers: where their own addresses, links and filters are.

Whatever is changed in there vanishes when the container ends, also when it starts again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import EngineError
from harness.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.engine.containers import Container

T = TypeVar("T")

_OWN = Path("/proc/self/ns/net")


def network_namespace(container: Container) -> Path | None:
    """Return the file of a container's network namespace, None when it does not run.

    Raises EngineError when its engine is on another machine, where the same path may lead to
    somebody else.
    """
    file = container.network_namespace
    if file is None:
        return None
    own = _OWN.stat()
    try:
        found = file.stat()
    except OSError as error:
        raise _not_here(container, str(error)) from error
    if found.st_dev != own.st_dev or found.st_ino == own.st_ino:
        raise _not_here(container, f"{file} is no namespace of a container")
    return file


def within(namespace: Path, work: Callable[[], T]) -> T:
    """Call `work` where sockets that it opens are in that network namespace.

    That is a thread of its own. Raises EngineError when we may not enter.
    """
    from pyroute2 import netns  # type: ignore[import-untyped] # noqa: PLC0415 - 0.2 s

    def enter_and_work() -> T:
        try:
            netns.setns(str(namespace))
        except OSError as error:
            raise EngineError(
                f"cannot enter a container's network: {error}", remedy="run as root"
            ) from error
        return work()

    with Pool(1) as pool:
        return pool.submit(enter_and_work).result()


def _not_here(container: Container, evidence: str) -> EngineError:
    return EngineError(
        f"the network of {container.name} is not on this machine: {evidence}",
        remedy="use an engine on this machine, and run as root",
    )
