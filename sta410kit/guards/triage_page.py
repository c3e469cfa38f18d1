"""The page of a triage: each decision with its findings drawn in context, and the entries to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from sta410kit.guards.evidence import NO_ROW
from sta410kit.guards.page_templates import render_page
from sta410kit.guards.suites import BAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.guards.decisions import Decision
    from sta410kit.guards.result import GuardResult

_DRAWN = 3  # findings of a decision
_REACH = 15  # bars on either side of one
_WIDTH, _HEIGHT, _EDGE = 330, 120, 6


def render(result: GuardResult, decisions: Sequence[Decision], frame: pd.DataFrame, title: str) -> str:
    """Return the page as HTML that needs no network and no script.

    Parameters
    ----------
    result : GuardResult
        What the gate found.
    decisions : sequence of Decision
        What `triage` made of it.
    frame : DataFrame
        The frame that was judged.
    title : str
        What was judged, such as the name of a file.
    """
    drawn = [[_figure(frame, row) for row in _examples(one)] for one in decisions]
    return render_page(
        "triage.html", title=title, result=result, decisions=list(zip(decisions, drawn, strict=True))
    )


def _examples(decision: Decision) -> list[dict[str, object]]:
    """Return the first finding of each of the first few symbols, or of the one symbol there is."""
    found = decision.findings.drop_duplicates("symbol")
    found = decision.findings if len(found) < _DRAWN else found
    return found.head(_DRAWN).to_dict("records")  # type: ignore[return-value] # keys are text


def _figure(frame: pd.DataFrame, row: dict[str, object]) -> tuple[str, Markup]:
    """Return a caption, and the bars around a finding as SVG; empty where there are no bars."""
    symbol, day = str(row["symbol"]), int(str(row["day"]))
    caption = f"{symbol} {np.datetime64(day, 'D')}"
    if not set(BAR).issubset(frame.columns):
        return caption, Markup("")
    rows = np.flatnonzero((frame["symbol"] == symbol).to_numpy())
    days = frame["date"].iloc[rows].to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.argsort(days, kind="stable")
    place = int(np.searchsorted(days[order], day))
    near = order[max(place - _REACH, 0) : place + _REACH + 1]
    bars = frame.iloc[rows[near]][list(BAR)].to_numpy(float)
    gap = row["position"] == NO_ROW
    return caption, _svg(bars, min(place, _REACH), gap=bool(gap), label=caption)


def _svg(bars: NDArray[np.float64], marked: int, *, gap: bool, label: str) -> Markup:
    """Draw bars: low to high, open to the left, close to the right; one is marked, or the gap before it."""
    good = bars[np.isfinite(bars) & (bars > 0)]
    if not len(good):
        return Markup("")
    # What is far out is cut off, or it would press all other bars into a line.
    middle = float(np.median(good))
    low, high = max(float(good.min()), middle * 0.5), min(float(good.max()), middle * 2)
    step = (_WIDTH - 2 * _EDGE) / (len(bars) + gap)

    def down(price: float) -> float:
        share = (price - low) / ((high - low) or 1.0)
        return round(_HEIGHT - _EDGE - min(max(share, 0.0), 1.0) * (_HEIGHT - 2 * _EDGE), 1)

    at = _EDGE + (marked + 0.5) * step
    parts = [f'<rect class="here" x="{at - step / 2:.1f}" y="0" width="{step:.1f}" height="{_HEIGHT}"/>']
    for number, (opened, top, bottom, close) in enumerate(np.nan_to_num(bars)):
        x = round(_EDGE + (number + 0.5 + (gap and number >= marked)) * step, 1)
        kind = ' class="bar odd"' if number == marked and not gap else ' class="bar"'
        reach = round(step * 0.4, 1)
        parts.append(
            f'<path{kind} d="M{x} {down(bottom)}V{down(top)}M{round(x - reach, 1)} {down(opened)}H{x}'
            f'M{x} {down(close)}H{round(x + reach, 1)}"/>'
        )
    body = "".join(parts)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        _WIDTH, _HEIGHT, f"Bars around {label}"
    ) + Markup(body + "</svg>")  # noqa: S704 - numbers only
