"""Networks between containers that lose, spoil or do not carry what they should."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.engine.attaching import attached
from harness.errors import EngineError
from harness.faults.packet_filter import (
    DROPPED,
    Rule,
    every,
    filter_packets,
    filters_packets,
    from_address,
    from_link,
    overwritten,
    to_address,
    unfilter_packets,
)

if TYPE_CHECKING:
    from harness.engine import ContainerHandle

_LOSSY: Final = "pullproof-lossy"
_CORRUPT: Final = "pullproof-corrupt"
# Beyond TCP's header with its usual options, so that the stream is hit and not the connection.
_IN_THE_STREAM: Final = 60
_NOISE: Final = b"\x5a\xa5\x5a\xa5"


@dataclass(frozen=True)
class CutOff:
    """No packet passes between two containers, in neither direction, and nobody is told.

    Both answer everybody else. A peer that starts again meanwhile may have another address,
    and would be reached there.
    """

    container: ContainerHandle
    peer: ContainerHandle

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"cut off from {self.peer.name}"

    @property
    def subject(self) -> str:
        """The container whose network drops the packets."""
        return self.container.name

    def inject(self) -> None:
        """Drop what they send each other. Raises EngineError when one of them does not run."""
        with attached(self.peer, os.environ) as peer:
            if peer is None:
                raise EngineError(f"container {self.peer.name} is gone")
            address = peer.address
        filter_packets(
            self.container,
            self._table,
            (
                Rule("prerouting", (*from_address(address), DROPPED)),
                Rule("output", (*to_address(address), DROPPED)),
            ),
        )

    def heal(self) -> None:
        """Let packets pass again."""
        unfilter_packets(self.container, self._table)

    def is_active(self) -> bool:
        """Whether the container's network has our rules."""
        return filters_packets(self.container, self._table)

    @property
    def _table(self) -> str:
        return f"pullproof-cut-off-{self.peer.id[:12]}"


@dataclass(frozen=True)
class LossyLink:
    """Of the packets that a container receives every so many-th is lost: with 10 it is 10%."""

    container: ContainerHandle
    every: int

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"losing one packet in {self.every}"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Drop them as they come in."""
        rule = Rule("prerouting", (*from_link(), *every(self.every), DROPPED))
        filter_packets(self.container, _LOSSY, (rule,))

    def heal(self) -> None:
        """Let all packets pass again."""
        unfilter_packets(self.container, _LOSSY)

    def is_active(self) -> bool:
        """Whether the container's network has our rule."""
        return filters_packets(self.container, _LOSSY)


@dataclass(frozen=True)
class CorruptLink:
    """Of the packets that a container receives every so many-th has four wrong bytes.

    Between containers of one machine nothing computes TCP's checksums, so that programs get to
    see the wrong bytes. Where a checksum is computed, the packet is lost.
    """

    container: ContainerHandle
    every: int

    @property
    def name(self) -> str:
        """What is wrong."""
        return f"receiving one packet in {self.every} with wrong bytes"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Overwrite bytes as packets come in; those too short to carry much pass as they are."""
        spoil = overwritten(_IN_THE_STREAM, _NOISE)
        filter_packets(
            self.container,
            _CORRUPT,
            (Rule("prerouting", (*from_link(), *every(self.every), *spoil)),),
        )

    def heal(self) -> None:
        """Let all packets pass as they are."""
        unfilter_packets(self.container, _CORRUPT)

    def is_active(self) -> bool:
        """Whether the container's network has our rule."""
        return filters_packets(self.container, _CORRUPT)
