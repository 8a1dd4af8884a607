"""Rules by which a container's own network namespace drops, refuses or spoils packets.

They are tables of nftables with names of ours. The machine's own tables are never touched, and
a container's tables go with its namespace. The parts of a rule are those of nft(8).
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.engine.attaching import attached
from harness.engine.namespace import network_namespace, within
from harness.errors import EngineError
from harness.faults.unsupported import UnsupportedFaultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.engine import ContainerHandle

Hook = Literal["prerouting", "output"]
Expression = tuple[str, dict[str, object]]

# Before the address translation by which Docker leads requests to its nameserver, see
# https://wiki.nftables.org/wiki-nftables/index.php/Netfilter_hooks
_PRIORITY: Final = -300
_IPV4: Final = 2
_ACCEPT: Final = 1
# linux/netfilter/nf_tables.h: NFT_META_IIFNAME, IFNAMSIZ
_INTERFACE_NAME: Final = 6
_NAME_BYTES: Final = 16
_NETWORK_HEADER: Final = 1
_TRANSPORT_HEADER: Final = 2
_REGISTER: Final = 1

DROPPED: Final[Expression] = (
    "immediate",
    {"dreg": 0, "data": {"attrs": [("NFTA_DATA_VERDICT", {"attrs": [("NFTA_VERDICT_CODE", 0)]})]}},
)
# ICMP: port unreachable. Programs see a connection that is refused.
REFUSED: Final[Expression] = ("reject", {"type": 0, "icmp_code": 3})


@dataclass(frozen=True)
class Rule:
    """What happens to some packets: those that come in (`prerouting`) or leave (`output`)."""

    hook: Hook
    expressions: tuple[Expression, ...]


def from_address(address: str) -> tuple[Expression, ...]:
    """Match packets from an IPv4 address."""
    return _matching(_NETWORK_HEADER, 12, socket.inet_aton(address))


def to_address(address: str) -> tuple[Expression, ...]:
    """Match packets to an IPv4 address."""
    return _matching(_NETWORK_HEADER, 16, socket.inet_aton(address))


def to_port(port: int) -> tuple[Expression, ...]:
    """Match packets to a port, be it of UDP or TCP."""
    return _matching(_TRANSPORT_HEADER, 2, struct.pack("!H", port))


def from_link() -> tuple[Expression, ...]:
    """Match packets that come from outside: none of those that a container sends to itself."""
    name = b"eth0".ljust(_NAME_BYTES, b"\0")
    return (("meta", {"key": _INTERFACE_NAME, "dreg": _REGISTER}), _equals(name))


def every(count: int) -> tuple[Expression, ...]:
    """Match every so many-th packet of those that reach this part of the rule."""
    return (
        ("numgen", {"dreg": _REGISTER, "modulus": count, "type": 0, "offset": 0}),
        _equals(struct.pack("=I", 0)),
    )


def overwritten(offset: int, content: bytes) -> tuple[Expression, ...]:
    """Overwrite what follows that many bytes after the beginning of TCP's or UDP's header.

    Shorter packets pass as they are. No checksum is made right.
    """
    return (
        ("immediate", {"dreg": _REGISTER, "data": _value(content)}),
        (
            "payload",
            {
                "sreg": _REGISTER,
                "base": _TRANSPORT_HEADER,
                "offset": offset,
                "len": len(content),
                "csum_type": 0,
                "csum_offset": 0,
            },
        ),
    )


def filter_packets(handle: ContainerHandle, table: str, rules: Sequence[Rule]) -> None:
    """Put a table with these rules into a container's namespace, all at once.

    Raises EngineError when the container does not run, UnsupportedFaultError when the kernel
    refuses the rules.
    """
    with attached(handle, os.environ) as container:
        namespace = network_namespace(container) if container else None
    if namespace is None:
        raise EngineError(f"{handle.name} does not run: it has no network")
    within(namespace, partial(_add, table, rules))
    if not within(namespace, partial(_has, table)):
        raise UnsupportedFaultError(
            f"the kernel refuses to filter packets of {handle.name}",
            remedy="use a kernel with the modules nf_tables, nft_numgen and nft_reject_ipv4",
        )


def unfilter_packets(handle: ContainerHandle, table: str) -> None:
    """Remove a table of ours; harmless where there is none, or no container any more."""
    with attached(handle, os.environ) as container:
        namespace = network_namespace(container) if container else None
    if namespace is not None and within(namespace, partial(_has, table)):
        within(namespace, partial(_remove, table))


def filters_packets(handle: ContainerHandle, table: str) -> bool:
    """Whether a container's namespace has the table now."""
    with attached(handle, os.environ) as container:
        namespace = network_namespace(container) if container else None
    return namespace is not None and within(namespace, partial(_has, table))


def _add(table: str, rules: Sequence[Rule]) -> None:
    with _kernel() as kernel:
        kernel.begin()
        kernel.table("add", name=table)
        for hook in sorted({rule.hook for rule in rules}):
            kernel.chain(
                "add",
                table=table,
                name=hook,
                hook=hook,
                type="filter",
                policy=_ACCEPT,
                priority=_PRIORITY,
            )
        for rule in rules:
            expressions = [_encoded(name, fields) for name, fields in rule.expressions]
            kernel.rule("add", table=table, chain=rule.hook, expressions=(expressions,))
        kernel.commit()


def _remove(table: str) -> None:
    with _kernel() as kernel:
        kernel.begin()
        kernel.table("del", name=table)
        kernel.commit()


def _has(table: str) -> bool:
    with _kernel() as kernel:
        return table in [each.get_attr("NFTA_TABLE_NAME") for each in kernel.get_tables()]


def _kernel() -> Any:  # noqa: ANN401 - pyroute2 has no types
    from pyroute2.nftables.main import NFTables  # type: ignore[import-untyped] # noqa: PLC0415

    return NFTables(nfgen_family=_IPV4)


def _matching(header: int, offset: int, content: bytes) -> tuple[Expression, ...]:
    field: dict[str, object] = {
        "dreg": _REGISTER,
        "base": header,
        "offset": offset,
        "len": len(content),
    }
    return (("payload", field), _equals(content))


def _equals(content: bytes) -> Expression:
    return ("cmp", {"sreg": _REGISTER, "op": 0, "data": _value(content)})


def _value(content: bytes) -> dict[str, object]:
    return {"attrs": [("NFTA_DATA_VALUE", content)]}


def _encoded(name: str, fields: dict[str, object]) -> dict[str, object]:
    """Return an expression as pyroute2 sends it: attributes in the order of the fields."""
    prefix = "NG" if name == "numgen" else name.upper()
    data = [(f"NFTA_{prefix}_{key.upper()}", value) for key, value in fields.items()]
    return {"attrs": [("NFTA_EXPR_NAME", name), ("NFTA_EXPR_DATA", {"attrs": data})]}
