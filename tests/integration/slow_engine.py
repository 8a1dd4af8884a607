"""A socket in front of an engine that keeps one request back until it is told to go on."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from harness.lifecycle.run import RUN_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_LONGEST_SECONDS = 60


class SlowEngine:
    """Passes everything on, but holds the first request of a kind back: `POST /networks/create`.

    `held` is set when that request has arrived whole; it reaches the engine after `release` was
    set. `answered` is set by the engine's answer, which may find nobody any more. `listings`
    counts how often volumes of a run were listed, which a reaper does twice at each look.
    """

    def __init__(self, path: Path, engine: Path, kind: str) -> None:
        verb, _, beginning = kind.partition(" ")
        self.url = f"unix://{path}"
        self.held = threading.Event()
        self.release = threading.Event()
        self.listings = 0
        self.answered = threading.Event()
        self._holding: socket.socket | None = None
        self._kind = re.compile(f"{verb} /v[0-9.]+{re.escape(beginning)}".encode())
        self._path = path
        self._engine = engine
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink()
        for thread in self._threads:
            thread.join(_LONGEST_SECONDS)

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # the socket is closed at the end
            while True:
                client, _ = self._socket.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(str(self._engine))
                self._start(self._ask, client, engine)
                self._start(self._answer, client, engine)

    def _ask(self, client: socket.socket, engine: socket.socket) -> None:
        with suppress(OSError):
            while asked := client.recv(65536):
                if b"/volumes?" in asked and quote(RUN_LABEL).encode() in asked:
                    self.listings += 1
                if self._kind.match(asked) and not self.held.is_set():
                    whole = _whole(asked, client)
                    self._holding = engine
                    self.held.set()
                    self.release.wait(_LONGEST_SECONDS)
                    engine.sendall(whole)
                    return  # not hanging up: the engine shall do it for nobody
                engine.sendall(asked)
            engine.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, engine: socket.socket) -> None:
        with client, engine, suppress(OSError):
            while answer := engine.recv(65536):
                if engine is self._holding:
                    self.answered.set()
                client.sendall(answer)
            client.shutdown(socket.SHUT_RDWR)  # which a close alone is not while `_ask` receives


def _whole(asked: bytes, client: socket.socket) -> bytes:
    """Read on until the body that the request announces is there."""
    found = _LENGTH.search(asked)
    length = int(found[1]) if found else 0
    while len(asked.partition(b"\r\n\r\n")[2]) < length:
        asked += client.recv(65536)
    return asked
