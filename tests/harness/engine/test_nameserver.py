from __future__ import annotations

import socket
from contextlib import closing

import pytest

from harness.engine.nameserver import Nameserver, no_such_name

# A query for the address of nope.invalid, id 0x1234, recursion desired, with an EDNS record.
QUESTION = b"\x04nope\x07invalid\x00\x00\x01\x00\x01"
QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" + QUESTION + b"\x00\x00\x29\x10\x00" * 2


def test_answer_says_no_such_name_and_repeats_the_question() -> None:
    assert no_such_name(QUERY) == (b"\x12\x34\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00" + QUESTION)


@pytest.mark.parametrize(
    "datagram",
    [b"", b"short", QUERY[:12], QUERY[:2] + b"\x81\x80" + QUERY[4:]],
    ids=["empty", "short", "no question", "an answer"],
)
def test_what_is_no_query_gets_no_answer(datagram: bytes) -> None:
    assert no_such_name(datagram) is None


def test_cut_query_is_answered_without_reading_past_its_end() -> None:
    answer = no_such_name(QUERY[:20])

    assert answer is not None
    assert answer.endswith(QUERY[12:20])


def test_server_answers_queries_and_survives_garbage() -> None:
    with (
        closing(Nameserver("127.0.0.1", port=0)) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.settimeout(10)
        client.connect(("127.0.0.1", server.port))
        client.send(b"garbage")
        client.send(QUERY)

        assert client.recv(512) == no_such_name(QUERY)


def test_closed_server_frees_its_address_and_can_be_closed_again() -> None:
    server = Nameserver("127.0.0.1", port=0)
    server.close()
    server.close()

    Nameserver("127.0.0.1", port=server.port).close()


def test_taken_address_is_refused() -> None:
    with closing(Nameserver("127.0.0.1", port=0)) as server, pytest.raises(OSError, match="in use"):
        Nameserver("127.0.0.1", port=server.port)
