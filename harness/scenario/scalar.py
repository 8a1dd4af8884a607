"""What an unquoted YAML scalar means: the core schema of YAML 1.2.2, section 10.3.2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Scalar = str | int | float | bool | None

# Longer integers become floats, which no field takes for an integer: Python itself refuses to
# convert very long ones.
_FORMS: tuple[tuple[str, Callable[[str], Scalar]], ...] = (
    (r"|~|null|Null|NULL", lambda _: None),
    (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    (r"[-+]?[0-9]{1,18}", int),
    (r"0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}", lambda text: int(text, 0)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", lambda text: float(text.replace(".", ""))),
)


def plain_scalar(text: str) -> Scalar:
    """Return the value of an unquoted scalar; whatever is nothing else is text."""
    for form, meaning in _FORMS:
        if re.fullmatch(form, text, re.ASCII):
            return meaning(text)
    return text
