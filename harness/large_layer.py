"""Layers of any size that are made while they are sent, so that no memory holds them; pure data."""

from __future__ import annotations

import hashlib
import os
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness import oci

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK_BYTES: Final = 1024 * 1024
_NUMBER_BYTES: Final = 8
_FILE: Final = "large-payload"
# A tar ends with two blocks of zeros.
_END: Final = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True)
class LargeLayer:
    """A tar with one file of many blocks of 1 MiB, of which no two are alike.

    All share the same random bytes, behind a number of their own: it cannot be compressed
    within a block, nobody has seen it before, and making it costs next to nothing.
    """

    blocks: int
    seed: bytes = field(repr=False)
    digest: str
    media_type: str = oci.LAYER_TYPE

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(_header(self.blocks)) + self.blocks * _BLOCK_BYTES + len(_END)

    def parts(self, size: int) -> Iterator[bytes]:
        """Give the bytes in parts of `size`; the last one may be shorter."""
        pending = bytearray()
        for piece in _pieces(self.blocks, self.seed):
            pending += piece
            while len(pending) >= size:
                yield bytes(pending[:size])
                del pending[:size]
        if pending:
            yield bytes(pending)


def large_layer(mebibytes: int, *, random_bytes: Callable[[int], bytes] = os.urandom) -> LargeLayer:
    """Make a layer; hashing it takes about a second for each GiB."""
    seed = random_bytes(_BLOCK_BYTES - _NUMBER_BYTES)
    hashed = hashlib.sha256()
    for piece in _pieces(mebibytes, seed):
        hashed.update(piece)
    return LargeLayer(mebibytes, seed, f"sha256:{hashed.hexdigest()}")


def _header(blocks: int) -> bytes:
    return oci.file_header(_FILE, blocks * _BLOCK_BYTES)


def _pieces(blocks: int, seed: bytes) -> Iterator[bytes]:
    yield _header(blocks)
    for number in range(blocks):
        yield number.to_bytes(_NUMBER_BYTES, "big") + seed
    yield _END
