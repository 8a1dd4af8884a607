"""Figures drawn in plain SVG, coloured by the page's style sheet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from harness.report.words import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.result.model import Measurement

_HEADROOM = 1.05


def scale(figures: Sequence[Measurement]) -> float:
    """Return the value at the right end of bars that are to be compared with each other."""
    ends = [end for figure in figures for end in _ends(figure)]
    return max(ends) * _HEADROOM or 1.0


def figure_bar(figure: Measurement, full: float) -> str:
    """Draw a figure: its floor darker, its interval as a whisker, its target as a mark."""
    state = {True: "met", False: "missed", None: "bare"}[figure.met]
    parts = [
        _rectangle("track", 0, 100),
        _rectangle(f"value {state}", 0, _percent(figure.value, full)),
    ]
    if figure.floor is not None:
        parts.append(_rectangle("floor", 0, _percent(min(figure.floor, figure.value), full)))
    if figure.interval is not None:
        low, high = (_percent(end, full) for end in (figure.interval.low, figure.interval.high))
        parts.append(f'<line class="whisker" x1="{low}%" x2="{high}%" y1="50%" y2="50%"/>')
    target = figure.target_min if figure.target_max is None else figure.target_max
    if target is not None:
        at = _percent(target, full)
        parts.append(f'<line class="target" x1="{at}%" x2="{at}%" y1="0" y2="100%"/>')
    label = escape(f"{quantity(figure.value, figure.unit)}, {state}")
    return f'<svg class="bar" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def share_bar(shares: Sequence[tuple[str, float]]) -> str:
    """Draw parts of a whole side by side; each part is a style class and its amount."""
    whole = sum(amount for _, amount in shares) or 1.0
    parts: list[str] = []
    start = 0.0
    for style, amount in shares:
        parts.append(_rectangle(style, _percent(start, whole), _percent(amount, whole)))
        start += amount
    return f'<svg class="shares" aria-hidden="true">{"".join(parts)}</svg>'


def _ends(figure: Measurement) -> list[float]:
    high = figure.interval.high if figure.interval else None
    optional = (figure.floor, figure.target_max, figure.target_min, high)
    return [figure.value, *(end for end in optional if end is not None)]


def _percent(value: float, full: float) -> float:
    return round(100 * value / full, 2)


def _rectangle(style: str, x: float, width: float) -> str:
    return f'<rect class="{style}" x="{x}%" width="{width}%" height="100%"/>'
