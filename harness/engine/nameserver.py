"""Answers every question about names with "no such name", so that none leaves the machine.

Docker's own resolver (127.0.0.11) answers for containers and asks an upstream server for
everything else. The private engine forwards nothing, so an upstream of the machine would be
waited for in vain: 5 s for each unknown name.
"""

from __future__ import annotations

import socket
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
        self._thread = Thread(target=self._serve, name=f"nameserver {address}", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """End the thread and free the address."""
        if self._thread.is_alive():
            # An empty datagram wakes the thread, which a closed socket would not.
            self._socket.sendto(b"", self._socket.getsockname())
            self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(4096)
            if not query and sender == self._socket.getsockname():
                return
            answer = no_such_name(query)
            if answer is not None:
                self._answer(answer, sender)

    def _answer(self, answer: bytes, sender: tuple[str, int]) -> None:
        try:
            self._socket.sendto(answer, sender)
        except OSError:
            # The container that asked is gone.
            return
