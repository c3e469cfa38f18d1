"""Small plots of a sweep's table as points to draw, for a page that loads nothing."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 300, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 30
_MOST_LABELS, _MOST_PLOTS, _LONGEST_LABEL = 6, 24, 14


@dataclass(frozen=True)
class Plot:
    """One number over one parameter: a dot a unit, and the means as a line, or as bars over categories."""

    x: str
    y: str
    dots: list[tuple[float, float, str]]  # place in the picture, and what the dot is
    line: str  # the means as the points of an SVG polyline; empty over categories
    bars: list[tuple[float, float, float, float]]  # left, top, width and height; empty over numbers
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]
    zero: float | None  # where the number is zero, if that lies in the picture


@dataclass(frozen=True)
class HeatMap:
    """One number over two numeric parameters: the mean of the units in each cell."""

    x: str
    y: str
    value: str
    columns: list[str]
    # label of each row, and of its cells the mean, the share of the strongest colour, and whether it is red
    rows: list[tuple[str, list[tuple[float | None, float, bool]]]]


def heat_maps(
    table: Mapping[str, Sequence[Any]], parameters: Sequence[str], numbers: Sequence[str]
) -> list[HeatMap]:
    """Return a heat map of each of `numbers` over each pair of numeric `parameters`; at most two dozen."""
    numeric = [name for name in parameters if all(map(_is_number, table[name]))]
    found = [
        _heat_map(table, x, y, value)
        for value in numbers
        for y, x in combinations(numeric, 2)
        if sum(map(_is_number, table[value])) > 1
    ]
    return found[:_MOST_PLOTS]


def _heat_map(table: Mapping[str, Sequence[Any]], x: str, y: str, value: str) -> HeatMap:
    cells: dict[tuple[Any, Any], list[float]] = {}
    for row, column, number in zip(table[y], table[x], table[value], strict=True):
        if _is_number(number):
            cells.setdefault((row, column), []).append(float(number))
    means = {place: fmean(values) for place, values in cells.items()}
    low, high = min(means.values()), max(means.values())
    # Around zero where the numbers have both signs, else from the lowest to the highest.
    base, wide = (0.0, max(-low, high)) if low < 0 < high else (low, high - low)

    def cell(place: tuple[Any, Any]) -> tuple[float | None, float, bool]:
        if place not in means:
            return None, 0.0, False
        mean = float(f"{means[place]:.3g}")
        return mean, round(abs(mean - base) / (wide or 1.0), 3), mean < base

    columns, rows = sorted(set(table[x])), sorted(set(table[y]))
    return HeatMap(
        x,
        y,
        value,
        list(map(_label, columns)),
        [(_label(row), [cell((row, c)) for c in columns]) for row in rows],
    )


def small_plots(
    table: Mapping[str, Sequence[Any]], parameters: Sequence[str], numbers: Sequence[str]
) -> list[Plot]:
    """Return a plot of each of `numbers` that is one, over each of `parameters`; at most two dozen."""
    found = []
    for y in numbers:
        for x in parameters:
            rows = zip(table[x], table[y], table["unit"], strict=True)
            pairs = [(key, float(value), unit) for key, value, unit in rows if _is_number(value)]
            if len(pairs) > 1:
                found.append(_plot(x, y, pairs))
    return found[:_MOST_PLOTS]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # noqa: PLR2004 - room to scale


def _plot(x: str, y: str, pairs: list[tuple[Any, float, str]]) -> Plot:
    keys = [key for key, _, _ in pairs]
    numeric = all(map(_is_number, keys))
    ordered = sorted(set(keys)) if numeric else keys
    labels = list(dict.fromkeys(map(_label, ordered)))
    width = (WIDTH - _LEFT - _RIGHT) / len(labels)
    places = {label: round(_LEFT + width * (place + 0.5), 1) for place, label in enumerate(labels)}
    values = [value for _, value, _ in pairs]
    room = (max(values) - min(values)) * 0.06 or abs(max(values)) * 0.05 or 1.0
    low, high = min(values) - room, max(values) + room
    if not numeric:  # a bar begins at zero
        low, high = min(low, 0.0), max(high, 0.0)

    def height(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    def bar(label: str, mean: float) -> tuple[float, float, float, float]:
        top, bottom = sorted((height(mean), height(0.0)))
        return round(places[label] - width * 0.3, 1), top, round(width * 0.6, 1), round(bottom - top, 1)

    named = [(_label(key), value, unit) for key, value, unit in pairs]
    means = {label: fmean(value for key, value, _ in named if key == label) for label in labels}
    return Plot(
        x=x,
        y=y,
        dots=[(places[key], height(v), f"unit {unit}: {x} {key}, {y} {v:.6g}") for key, v, unit in named],
        line=" ".join(f"{places[label]},{height(mean)}" for label, mean in means.items()) if numeric else "",
        bars=[] if numeric else [bar(label, mean) for label, mean in means.items()],
        ticks_x=[
            (places[label], label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…")
            for label in labels[:: math.ceil(len(labels) / _MOST_LABELS)]
        ],
        ticks_y=[(height(value), f"{value:.3g}") for value in (low, (low + high) / 2, high)],
        zero=height(0) if low < 0 < high else None,
    )


def _label(value: Any) -> str:  # noqa: ANN401 - any parameter
    return value if isinstance(value, str) else json.dumps(value)
