"""What a gate found, drawn as SVG: rows around a finding, two distributions, how often a check held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from sta410kit.guards.evidence import NO_ROW, in_words
from sta410kit.guards.suites import BAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.guards.evidence import Evidence
    from sta410kit.guards.result import Check

_DRAWN = 3  # findings of a check
_REACH = 15  # rows on either side of one
_NEAR = 5  # rows on either side whose range is the usual one
_WIDTH, _HEIGHT, _EDGE, _LEFT, _FOOT = 360, 132, 6, 46, 14
_BINS = 24
_PRICES = {*BAR, "adj_close"}
_FINITE = 1e15


def draw_findings(frame: pd.DataFrame, check: Check) -> list[tuple[str, Markup]]:
    """Return drawings of the first finding of each of the first few symbols, or of the one there is."""
    found = check.evidence
    if found is None or not {"symbol", "date"} <= set(frame.columns):
        return []
    firsts = np.unique(found.symbols.astype(str), return_index=True)[1]
    chosen = np.sort(firsts) if len(firsts) >= _DRAWN else np.arange(found.count)
    drawn = [draw_finding(frame, found, at, check.config.get("kwargs", {})) for at in chosen[:_DRAWN]]
    return [one for one in drawn if one[1]]


def draw_finding(
    frame: pd.DataFrame, found: Evidence, at: int, bounds: dict[str, Any] | None = None
) -> tuple[str, Markup]:
    """Return a caption, and what is around a finding as SVG; empty where there is nothing to draw.

    Prices are drawn as bars: low to high, open to the left, close to the right. Of other columns the first is
    drawn as a line. The finding is marked; the band is the allowed range, or that of the ten rows around.
    """
    symbol, day, position = str(found.symbols[at]), int(found.days[at]), int(found.positions[at])
    rows = np.flatnonzero((frame["symbol"] == found.symbols[at]).to_numpy())
    if not len(rows) or frame["date"].dtype.kind != "M":
        return symbol, Markup("")
    days = frame["date"].iloc[rows].to_numpy().astype(f"datetime64[{found.unit}]").astype(np.int64)
    order = np.argsort(days, kind="stable")
    place = int(np.searchsorted(days[order], day))
    if position != NO_ROW and position in rows:
        place = int(np.flatnonzero(rows[order] == position)[0])
    near = order[max(place - _REACH, 0) : place + _REACH + 1]
    columns = [name for name in found.columns if name in frame.columns and frame[name].dtype.kind in "iuf"]
    bars = set(BAR).issubset(frame.columns) and (not columns or set(columns) & _PRICES)
    names = list(BAR) if bars else columns[:1]
    if not names:
        return symbol, Markup("")
    values = frame.iloc[rows[near]][names].to_numpy(float)
    caption = f"{symbol} {in_words(day, found.unit)}" + ("" if bars else f", {names[0]}")
    marked, gap = min(place, _REACH), position == NO_ROW
    band, what = _usual(values, marked, gap=gap), "range of the rows around"
    if not bars and bounds is not None and "column" in bounds:
        declared = _declared(bounds)
        band, what = (declared, "allowed range") if declared else (band, what)
    ends = [
        in_words(days[order][number], found.unit)[:10]
        for number in (max(place - _REACH, 0), min(place + _REACH, len(rows) - 1))
    ]
    label = f"{'Bars' if bars else names[0]} around {caption}"
    drawing = _svg(values, marked, band, ends, gap=gap, label=label)
    if drawing and band is not None:
        shown = " to ".join(f"{one:.6g}" for one in band if np.isfinite(one))
        caption += f"; shaded: {what}, {shown}"
    return caption, drawing


def _declared(bounds: dict[str, Any]) -> tuple[float, float] | None:
    """Return the bounds of an expectation; infinite where there is none, or one that only means finite."""
    low, high = (bounds.get(name) for name in ("min_value", "max_value"))
    low = float(low) if isinstance(low, int | float) and abs(low) < _FINITE else -np.inf
    high = float(high) if isinstance(high, int | float) and abs(high) < _FINITE else np.inf
    return (low, high) if np.isfinite(low) or np.isfinite(high) else None


def _usual(values: NDArray[np.float64], marked: int, *, gap: bool) -> tuple[float, float] | None:
    """Return the range of closes, or values, of the rows around the one that is marked."""
    around = [*range(marked - _NEAR, marked), *range(marked + (not gap), marked + _NEAR + (not gap))]
    column = values[[at for at in around if 0 <= at < len(values)], -1]
    column = column[np.isfinite(column)]
    return (float(column.min()), float(column.max())) if len(column) else None


def _svg(  # noqa: PLR0913 - what a drawing has
    values: NDArray[np.float64],
    marked: int,
    band: tuple[float, float] | None,
    ends: Sequence[str],
    *,
    gap: bool,
    label: str,
) -> Markup:
    bars = values.shape[1] > 1
    good = values[np.isfinite(values) & ((values > 0) | (not bars))]
    if not len(good):
        return Markup("")
    low, high = float(good.min()), float(good.max())
    if bars:
        # What is far out is cut off, or it would press all other bars into a line.
        middle = float(np.median(good))
        low, high = max(low, middle * 0.5), min(high, middle * 2)
    step, base = (_WIDTH - _LEFT - _EDGE) / (len(values) + gap), _HEIGHT - _FOOT

    def down(value: float) -> float:
        share = (value - low) / ((high - low) or 1.0)
        return round(base - _EDGE - min(max(share, 0.0), 1.0) * (base - 2 * _EDGE), 1)

    def across(number: int) -> float:
        return round(_LEFT + (number + 0.5 + (gap and number >= marked)) * step, 1)

    at = _LEFT + (marked + 0.5) * step
    parts = [f'<rect class="here" x="{at - step / 2:.1f}" y="0" width="{step:.1f}" height="{base}"/>']
    if band is not None:
        top, bottom = down(band[1]), down(band[0])
        parts.append(
            f'<rect class="usual" x="{_LEFT}" y="{top}" width="{_WIDTH - _LEFT}" '
            f'height="{max(bottom - top, 1):.1f}"/>'
        )
    if bars:
        reach = round(step * 0.4, 1)
        for number, (opened, top, bottom, close) in enumerate(np.nan_to_num(values)):
            x, kind = across(number), "bar odd" if number == marked and not gap else "bar"
            parts.append(
                f'<path class="{kind}" d="M{x} {down(bottom)}V{down(top)}M{round(x - reach, 1)} '
                f'{down(opened)}H{x}M{x} {down(close)}H{round(x + reach, 1)}"/>'
            )
    else:
        line = [(across(n), down(value)) for n, value in enumerate(values[:, 0]) if np.isfinite(value)]
        parts.append(f'<polyline class="bar" points="{" ".join(f"{x},{y}" for x, y in line)}"/>')
        value = values[marked, 0] if marked < len(values) else np.nan
        if not gap and np.isfinite(value):
            parts.append(f'<circle class="odd" cx="{across(marked)}" cy="{down(value)}" r="3.5"/>')
    parts += [
        f'<text x="0" y="11">{high:.5g}</text><text x="0" y="{base - 2}">{low:.5g}</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - 2}">{ends[0]}</text>',
        f'<text x="{_WIDTH - _EDGE}" y="{_HEIGHT - 2}" text-anchor="end">{ends[1]}</text>',
    ]
    return _framed("".join(parts), label)


def _framed(body: str, label: str, width: int = _WIDTH, height: int = _HEIGHT) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, label)
    return head + Markup(body + "</svg>")  # noqa: S704 - numbers and dates only


def draw_drift(name: str, old: NDArray[np.float64], new: NDArray[np.float64]) -> Markup:
    """Return two histograms on one axis: the training window as an area, the newest rows as a line."""
    low, high = np.quantile(np.concatenate([old, new]), [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    shares = [np.histogram(np.clip(part, low, high), edges)[0] / len(part) for part in (old, new)]
    top, step, base = max(float(part.max()) for part in shares), (_WIDTH - 2 * _EDGE) / _BINS, _HEIGHT - _FOOT

    def outline(part: NDArray[np.float64]) -> str:
        heights = [round(base - float(share) / top * (base - 2 * _EDGE), 1) for share in part]
        steps = "".join(f"V{y}H{round(_EDGE + (n + 1) * step, 1)}" for n, y in enumerate(heights))
        return f"M{_EDGE} {base}{steps}V{base}"

    body = (
        f'<path class="old" d="{outline(shares[0])}Z"/><path class="odd new" d="{outline(shares[1])}"/>'
        f'<text x="{_EDGE}" y="{_HEIGHT - 2}">{low:.3g}</text>'
        f'<text x="{_WIDTH - _EDGE}" y="{_HEIGHT - 2}" text-anchor="end">{high:.3g}</text>'
    )
    return _framed(body, f"Distributions of {name}: the rows it learns from, and the newest")


def draw_history(states: Sequence[str]) -> Markup:
    """Return a mark for each earlier validation, oldest first: a dot where a check held, a bar where not."""
    if not states:
        return Markup("")
    marks = "".join(
        f'<circle class="held" cx="{8 * n + 4}" cy="11" r="2"/>'
        if state == "held"
        else f'<rect class="{state}" x="{8 * n + 2}" y="2" width="4" height="12"/>'
        for n, state in enumerate(states)
    )
    held, width = sum(state == "held" for state in states), 8 * len(states)
    label = f"held in {held} of the {len(states)} validations before"
    head = Markup(
        '<svg class="history" viewBox="0 0 {0} 16" width="{0}" height="16" role="img" aria-label="{1}">'
    )
    return head.format(width, label) + Markup(f"<title>{label}</title>{marks}</svg>")  # noqa: S704 - numbers only
