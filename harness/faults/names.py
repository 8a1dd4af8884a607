"""Names that cannot be resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.faults.packet_filter import (
    REFUSED,
    Rule,
    filter_packets,
    filters_packets,
    to_port,
    unfilter_packets,
)

if TYPE_CHECKING:
    from harness.engine import ContainerHandle

_DNS_PORT: Final = 53
_TABLE: Final = "pullproof-names"


@dataclass(frozen=True)
class NamesUnresolved:
    """A container's nameserver refuses to talk to it: no name is resolved, as if it were down."""

    container: ContainerHandle

    @property
    def name(self) -> str:
        """What is wrong."""
        return "without name resolution"

    @property
    def subject(self) -> str:
        """The container."""
        return self.container.name

    def inject(self) -> None:
        """Refuse what it sends to any nameserver."""
        rule = Rule("output", (*to_port(_DNS_PORT), REFUSED))
        filter_packets(self.container, _TABLE, (rule,))

    def heal(self) -> None:
        """Let it ask again."""
        unfilter_packets(self.container, _TABLE)

    def is_active(self) -> bool:
        """Whether the container's network has our rule."""
        return filters_packets(self.container, _TABLE)
