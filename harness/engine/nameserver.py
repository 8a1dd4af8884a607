"""Answers every question about names with "no such name", so that none leaves the machine.

Docker's own resolver (127.0.0.11) answers for containers and asks an upstream server for
everything else. The private engine forwards nothing, so an upstream of the machine would be
waited for in vain: 5 s for each unknown name.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from threading import Thread

PORT = 53
_HEADER_BYTES = 12


def no_such_name(query: bytes) -> bytes | None:
    """Return the answer NXDOMAIN to a query (RFC 1035), None where it is no query."""
    is_answer = len(query) > _HEADER_BYTES and query[2] & 0x80
    if len(query) <= _HEADER_BYTES or is_answer:
        return None
    end = _HEADER_BYTES
    while end < len(query) and query[end]:
        end += query[end] + 1
    question = query[_HEADER_BYTES : end + 5]
    # Kept of the query: its id, opcode and "recursion desired".
    flags = bytes([0x80 | (query[2] & 0x79), 0x80 | 3])
    return query[:2] + flags + bytes([0, 1, 0, 0, 0, 0, 0, 0]) + question


class Nameserver:
    """A server of its own thread at one address; `close` ends it, twice does no harm."""

    def __init__(self, address: str, port: int = PORT) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])
        self._wake, self._woken = socket.socketpair()
        self._thread = Thread(target=self._serve, name=f"nameserver {address}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and free the address."""
        self._wake.close()
        self._thread.join()

    def _serve(self) -> None:
        with self._socket, self._woken, DefaultSelector() as selector:
            selector.register(self._socket, EVENT_READ)
            selector.register(self._woken, EVENT_READ)
            while all(key.fileobj is self._socket for key, _ in selector.select()):
                query, sender = self._socket.recvfrom(4096)
                answer = no_such_name(query)
                if answer is not None:
                    # The container that asked may be gone, and with it the way to it.
                    with suppress(OSError):
                        self._socket.sendto(answer, sender)
