from __future__ import annotations

import io
import tarfile

import pytest

from harness import oci
from harness.large_layer import large_layer
from harness.scenario.model import MIB


def zeros(size: int) -> bytes:
    return bytes(size)


def test_large_layer_is_a_tar_of_one_file_without_equal_blocks() -> None:
    layer = large_layer(3, random_bytes=zeros)

    content = b"".join(layer.parts(MIB))
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        (member,) = archive.getmembers()
        file = archive.extractfile(member)
        assert file is not None
        payload = file.read()
    assert member.size == len(payload) == 3 * MIB
    assert len({payload[start : start + MIB] for start in range(0, len(payload), MIB)}) == 3


def test_large_layer_knows_its_digest_and_size_beforehand() -> None:
    layer = large_layer(2)

    content = b"".join(layer.parts(MIB))
    assert layer.digest == oci.sha256_digest(content)
    assert layer.size == len(content)


@pytest.mark.parametrize("size", [1000, MIB, 5 * MIB])
def test_parts_have_the_size_that_is_asked_for_but_the_last(size: int) -> None:
    layer = large_layer(2)

    parts = list(layer.parts(size))
    assert {len(part) for part in parts[:-1]} <= {size}
    assert sum(map(len, parts)) == layer.size
    assert 0 < len(parts[-1]) <= size


def test_parts_leave_no_empty_one_at_the_end() -> None:
    layer = large_layer(1)

    assert [len(part) for part in layer.parts(layer.size)] == [layer.size]


def test_no_two_large_layers_are_alike() -> None:
    assert large_layer(1).digest != large_layer(1).digest


def test_bytes_are_in_no_representation() -> None:
    assert len(repr(large_layer(1))) < 300
