"""The options of a hosts.toml and the kinds of values that containerd takes for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CAPABILITIES = ("pull", "resolve", "push")
_DURATION = re.compile(r"[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_PAIR = 2


@dataclass(frozen=True)
class Option:
    """An option: which values fit, and what they are called."""

    fits: Callable[[object], bool]
    takes: str


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, or of what is one text."""
    entries = value if isinstance(value, list) else [value]
    return tuple(entry for entry in entries if isinstance(entry, str))


def certificate_paths(value: object) -> Iterator[str]:
    """Return the paths in a `ca` or `client`; a pair's empty key names no file."""
    for entry in value if isinstance(value, list) else [value]:
        yield from (path for path in texts(entry) if path)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_client(value: object) -> bool:
    return _is_text(value) or (
        isinstance(value, list)
        and all(_is_text(one) or (_is_texts(one) and len(one) == _PAIR) for one in value)
    )


def _is_header(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_text(one) or _is_texts(one) for one in value.values()
    )


def _is_duration(value: object) -> bool:
    return isinstance(value, str) and (not value or _DURATION.fullmatch(value) is not None)


OPTIONS: dict[str, Option] = {
    "capabilities": Option(_is_texts, 'a list such as ["pull", "resolve"]'),
    "ca": Option(lambda value: _is_text(value) or _is_texts(value), "a path or a list of paths"),
    "client": Option(_is_client, "a path, or a list of pairs of certificate and key"),
    "skip_verify": Option(_is_bool, "true or false"),
    "header": Option(_is_header, "a table of texts or lists of texts"),
    "override_path": Option(_is_bool, "true or false"),
    "dial_timeout": Option(_is_duration, "a duration such as 5s"),
    "proxy": Option(_is_text, "a URL"),
}
