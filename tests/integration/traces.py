"""All that runs of one home can leave on the machine, as lines that compare."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.engine import Engine
    from harness.home import Home


def traces(home: Home, engine: Engine | None = None) -> frozenset[str]:
    """Return what there is now: of the engine, of this thread's network, files, processes.

    Taken before a run and after it, the difference is what the run has left.
    """
    found = {*_links(), *_routes(), *_mounts(home), *_files(home), *_processes(home)}
    return frozenset(found | set(_held(engine)) if engine else found)


def _held(engine: Engine) -> Iterator[str]:
    client = engine.client
    yield from (
        f"container {one.name}" for one in client.containers.list(all=True, ignore_removed=True)
    )
    yield from (f"network {one.name}" for one in client.networks.list())
    yield from (f"volume {one.name}" for one in client.volumes.list())


def _links() -> Iterator[str]:
    for line in Path("/proc/thread-self/net/dev").read_text().splitlines()[2:]:
        yield f"link {line.split(':')[0].strip()}"


def _routes() -> Iterator[str]:
    for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]:
        interface, destination, *_ = line.split()
        yield f"route {destination} {interface}"


def _mounts(home: Home) -> Iterator[str]:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        if str(home.root) in line:
            yield f"mount {line.split()[1]}"


def _files(home: Home) -> Iterator[str]:
    for folder, folders, files in os.walk(home.runs):  # what is removed meanwhile is no error
        yield from (f"file {folder}/{name}" for name in (*folders, *files))
    socket = home.engine / "docker.sock"
    yield from [f"file {socket}"] if socket.exists() else []


def _processes(home: Home) -> Iterator[str]:
    """Name processes that were started with our home or that name a file of it.

    These are runs, their workers and watchdogs, the engine's daemons and its containers' shims.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
            mentioned = arguments + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(home.root).encode() in mentioned:
            words = arguments.replace(b"\0", b" ").decode("utf-8", "replace")
            yield f"process {folder.name} {words}"
