"""Small plots of a sweep's table as points to draw, for a page that loads nothing."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 300, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 30
_MOST_LABELS = 6
_MOST_PLOTS = 24
_LONGEST_LABEL = 14


@dataclass(frozen=True)
class Plot:
    """One number over one parameter: a dot a unit, and a line through the means."""

    x: str
    y: str
    dots: list[tuple[float, float, str]]  # place in the picture, and what the dot stands for
    line: str  # the means as the points of an SVG polyline
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]
    zero: float | None  # where the number is zero, if that lies in the picture


def small_plots(
    table: Mapping[str, Sequence[Any]], parameters: Sequence[str], numbers: Sequence[str]
) -> list[Plot]:
    """Return a plot of each of `numbers` that is one, over each of `parameters`; at most two dozen."""
    found = []
    for y in numbers:
        for x in parameters:
            pairs = [
                (key, float(value), unit)
                for key, value, unit in zip(table[x], table[y], table["unit"], strict=True)
                if _is_number(value)
            ]
            if len(pairs) > 1:
                found.append(_plot(x, y, pairs))
    return found[:_MOST_PLOTS]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # noqa: PLR2004 - room to scale


def _plot(x: str, y: str, pairs: list[tuple[Any, float, str]]) -> Plot:
    places = _places([key for key, _, _ in pairs])
    low, high = _range([value for _, value, _ in pairs])

    def height(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    dots = [
        (places[_label(key)], height(value), f"unit {unit}: {x} {_label(key)}, {y} {value:.6g}")
        for key, value, unit in pairs
    ]
    means = {
        place: fmean(value for key, value, _ in pairs if places[_label(key)] == place)
        for place in sorted(set(places.values()))
    }
    labels = list(places.items())
    step = math.ceil(len(labels) / _MOST_LABELS)
    return Plot(
        x=x,
        y=y,
        dots=dots,
        line=" ".join(f"{place},{height(mean)}" for place, mean in means.items()),
        ticks_x=[(place, _short(label)) for label, place in labels[::step]],
        ticks_y=[(height(value), f"{value:.3g}") for value in (low, (low + high) / 2, high)],
        zero=height(0) if low < 0 < high else None,
    )


def _places(keys: list[Any]) -> dict[str, float]:
    """Return where along the axis each value stands: numbers to scale, anything else side by side."""
    # Whole numbers too large for a float may be different and still have no distance.
    numeric = all(_is_number(key) for key in keys) and float(min(keys)) < float(max(keys))
    ordered = sorted(set(keys)) if numeric else list({_label(key): key for key in keys}.values())
    width = WIDTH - _LEFT - _RIGHT
    if numeric:
        low, high = float(ordered[0]), float(ordered[-1])
        inside = width - 20
        return {_label(key): round(_LEFT + 10 + (key - low) / (high - low) * inside, 1) for key in ordered}
    return {
        _label(key): round(_LEFT + width * (place + 0.5) / len(ordered), 1)
        for place, key in enumerate(ordered)
    }


def _range(values: list[float]) -> tuple[float, float]:
    """Return the axis from the smallest to the largest value, with some room; never of no length."""
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return low - room, high + room


def _label(value: Any) -> str:  # noqa: ANN401 - any parameter
    return value if isinstance(value, str) else json.dumps(value)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
