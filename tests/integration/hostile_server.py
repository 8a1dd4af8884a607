"""Servers that treat every request alike and badly, as no real registry does on demand."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Behaviour = Callable[[socket.socket, threading.Event], None]

_BEAT_SECONDS = 0.2


class _Server(ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def hostile_server(address: str, behaviour: Behaviour) -> Iterator[int]:
    """Serve on an address, at a port that this yields, until the block ends."""
    over = threading.Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # clients give up
                while self.request.recv(65536):
                    behaviour(self.request, over)

    with _Server((address, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            over.set()
            server.shutdown()
            thread.join()


def resets(client: socket.socket, _: threading.Event) -> None:
    """Cut the connection with a reset, as a firewall does."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def hangs_up(client: socket.socket, _: threading.Event) -> None:
    """Close the connection without an answer, as a load balancer without servers does."""
    client.shutdown(socket.SHUT_RDWR)


def says_nothing(_: socket.socket, over: threading.Event) -> None:
    """Take the request and never answer, as a server that hangs."""
    over.wait()


def drips(client: socket.socket, over: threading.Event) -> None:
    """Send an answer that never gets beyond its headers, a byte at a time."""
    client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(_BEAT_SECONDS):
        client.sendall(b"z")


def stalls(client: socket.socket, over: threading.Event) -> None:
    """Send a part of the promised body and no more."""
    kind = b"application/vnd.oci.image.manifest.v1+json"
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind)
    client.sendall(b"\r\nContent-Length: 1000\r\n\r\n{")
    over.wait()


def answers(status: str) -> Behaviour:
    """Return a behaviour that refuses everything with one status, such as `429 Slow Down`."""

    def answer(client: socket.socket, _: threading.Event) -> None:
        client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return answer
