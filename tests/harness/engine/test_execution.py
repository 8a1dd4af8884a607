from __future__ import annotations

import pytest

from harness.engine.execution import split_streams


def frame(stream: int, content: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize(
    ("frames", "streams"),
    [
        (b"", (b"", b"")),
        (frame(1, b"out"), (b"out", b"")),
        (frame(2, b"err"), (b"", b"err")),
        (frame(1, b"a") + frame(2, b"x") + frame(1, b"") + frame(1, b"b"), (b"ab", b"x")),
        (frame(1, b"\x01" * 70000), (b"\x01" * 70000, b"")),
        (frame(1, b"whole")[:-2], (b"who", b"")),
    ],
    ids=["nothing", "stdout", "stderr", "interleaved", "long", "cut"],
)
def test_streams_are_separated(frames: bytes, streams: tuple[bytes, bytes]) -> None:
    assert split_streams(frames) == streams
